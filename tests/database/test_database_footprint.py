"""Whose rows a step changed, told by the server's counts and the places of tagged rows. Random tables of a few rows."""

from hypothesis import given
from hypothesis import strategies as st

from nightbench.database.checking.footprint import Counts, Footprint, step

OWN, OTHER, PART = "public.own", "public.other", "public.own_1"
NAMES = {OWN: {OWN}, OTHER: {OTHER}, PART: {PART, OWN}}


def counts(inserted=0, updated=0, deleted=0, *, table=OWN):
    return Counts(inserted, updated, deleted, frozenset(NAMES[table]))


def footprint(tagged, table=OWN, **done):
    return Footprint({table: counts(**done, table=table)}, frozenset(), (tagged,))


class Table:
    """Rows at places; those of the run carry the tag."""

    def __init__(self, tagged, foreign):
        self.rows = dict(enumerate([True] * tagged + [False] * foreign))
        self.next = len(self.rows)
        self.done = {"inserted": 0, "updated": 0, "deleted": 0}

    def put(self, what, tag):
        self.done[what] += 1
        self.rows[self.next] = tag
        self.next += 1

    def places(self):
        return frozenset((OWN, place) for place, tag in self.rows.items() if tag)


CHANGES = st.lists(
    st.tuples(st.sampled_from(["insert", "update", "delete"]), st.integers(0, 5), st.booleans()), max_size=6
)


@given(st.integers(0, 3), st.integers(0, 3), CHANGES)
def test_a_step_is_clean_exactly_when_it_touched_nothing_but_its_own(tagged, foreign, changes):
    table = Table(tagged, foreign)
    before = Footprint({}, frozenset(), (table.places(),))
    touched, wrong = set(), False
    for what, place, tag in changes:
        if what == "insert":
            table.put("inserted", tag)
            wrong |= not tag
        elif place in table.rows and place not in touched:  # a statement changes a row once
            was = table.rows.pop(place)
            wrong |= not was or (what == "update" and not tag)
            if what == "update":
                table.put("updated", tag)
            else:
                table.done["deleted"] += 1
            touched |= {place}
        touched |= set(range(tagged + foreign, table.next))
    found = step(before, footprint(table.places(), **table.done), own=[OWN])
    assert (found.foreign + found.untagged > 0) == wrong
    assert found.elsewhere == ()


def test_what_was_counted_before_is_none_of_it():
    places = frozenset({(OWN, 1)})
    before = Footprint({OTHER: counts(3, 2, 1, table=OTHER)}, frozenset({"public.locked"}), (places,))
    found = step(before, before, own=[OWN])
    assert (found.elsewhere, found.foreign, found.untagged) == ((), 0, 0)


def test_another_table_is_told_unless_it_may_be_written_beside():
    before, after = Footprint({}, frozenset(), (1,)), footprint(1, OTHER, updated=1)
    assert step(before, after, own=[OWN]).elsewhere == (OTHER,)
    assert step(before, after, own=[OWN], beside=[OTHER]).elsewhere == ()


def test_a_part_belongs_to_its_whole():
    found = step(footprint(frozenset()), footprint(frozenset(), PART, inserted=1), own=[OWN])
    assert (found.elsewhere, found.untagged) == ((), 1)


def test_where_rows_have_no_place_their_number_tells():
    before = Footprint({}, frozenset(), (1,))
    assert step(before, footprint(1, updated=1), own=[OWN]).foreign == 0
    assert step(before, footprint(1, updated=2), own=[OWN]).foreign == 1
    assert step(before, footprint(1, inserted=1), own=[OWN]).untagged == 1
    assert step(before, footprint(2, inserted=1), own=[OWN]).untagged == 0


def test_a_table_that_is_locked_against_everybody_is_changed_as_a_whole():
    before = Footprint({}, frozenset(), (0,))
    assert step(before, Footprint({}, frozenset({OWN}), (0,)), own=[OWN]).elsewhere == (OWN,)
