"""The layers of a judgement against earlier nights, on arrays: validity, tonight, sustained, history."""
