"""What the policies cost: told apart from nothing, and measured really without them."""

import pytest
from observing import plan_of, policy_of, settings_of, with_mix, workload_of

from nightbench.database.observing.paired import LEAST_PAIRS
from nightbench.database.observing.policy_cost import MOST_PAIRS, WARM_UP_PAIRS, PairTimes, PolicyPairs
from nightbench.database.observing.side_connection import Cost, SideConnection, open_side_connection
from nightbench.plan.workload import PolicyCost

MS = 1_000_000


def test_pairs_tell_medians_and_the_shift():
    pairs = PairTimes()
    for number in range(LEAST_PAIRS):
        assert pairs.effect() is None
        pairs.add((10 + number) * MS, 7 * MS)
    effect = pairs.effect()
    assert effect.pairs == LEAST_PAIRS
    assert (effect.with_ms, effect.without_ms, effect.cost_ms) == (19.5, 7, 12.5)
    assert effect.low_ms < effect.cost_ms < effect.high_ms


def test_many_pairs_are_thinned_over_the_whole_run():
    pairs = PairTimes()
    for number in range(10 * MOST_PAIRS):
        pairs.add(number * MS, 0)
    assert pairs.effect().pairs < MOST_PAIRS
    assert pairs.thinned > 3
    assert pairs.effect().high_ms > 5 * MOST_PAIRS  # the late ones are among them


@pytest.fixture
def measured(postgres):
    """Run so many pairs; what they found, or why not."""

    def measure(plan, pairs=WARM_UP_PAIRS + 40):
        role = plan.mix.policy_cost.role
        cost = PolicyPairs(policy_of(plan), workload_of(plan), settings_of(plan), role, seed=1)
        with open_side_connection(postgres.dsn, 5) as connection:
            side = SideConnection(connection, Cost())
            cost.check(side)
            for _ in range(pairs if cost.why_not is None or "fewer" in cost.why_not else 0):
                cost.pair(side)
        return cost

    return measure


def test_a_policy_that_costs_five_milliseconds_is_seen_and_the_healthy_one_is_not(postgres, measured):
    healthy = measured(plan_of()).effect
    # so long by the server's own clock: no sleep, which would be the longer the busier the machine is
    with postgres.changed(
        """
        CREATE FUNCTION dear() RETURNS boolean LANGUAGE plpgsql STABLE AS $$
        DECLARE till timestamptz := clock_timestamp() + interval '5 ms';
        BEGIN LOOP EXIT WHEN clock_timestamp() >= till; END LOOP; RETURN true; END $$;
        CREATE POLICY dear ON expenses AS RESTRICTIVE FOR SELECT TO authenticated USING ((SELECT dear()))
        """,
        "DROP POLICY dear ON expenses; DROP FUNCTION dear()",
    ):
        dear = measured(plan_of()).effect
    assert dear.pairs == 40
    assert healthy.cost_ms < 2.5
    assert healthy.high_ms < dear.low_ms < dear.cost_ms < dear.high_ms
    assert dear.cost_ms > 4
    assert dear.high_ms > 5
    assert dear.without_ms < dear.with_ms


def test_without_is_really_without(postgres):
    plan = plan_of()
    settings = settings_of(plan)
    active = {}
    with open_side_connection(postgres.dsn, 5) as connection:
        side = SideConnection(connection, Cost())
        for name, of in (("with", settings), ("without", settings.as_role(plan.mix.policy_cost.role))):
            with side.rolled_back(of, workload_of(plan).tenant(0)):
                active[name] = side.rows("SELECT row_security_active('expenses')")
    assert active == {"with": [(True,)], "without": [(False,)]}


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"role": "nobody_knows"}, 'role "nobody_knows" does not exist'),
        ({"role": "postgres"}, "permission denied to set role"),
        ({"role": "authenticated"}, "the role 'authenticated' is bound by policies; it needs BYPASSRLS"),
        ({"sql": "SELECT user_id FROM expenses LIMIT 5"}, "has to name the tenant itself"),
        ({"sql": "SELECT 1/0 FROM expenses"}, "division by zero"),
    ],
)
def test_what_cannot_be_measured_says_why(measured, fields, why):
    plan = plan_of()
    policy = PolicyCost(
        **{
            "role": "service_role",
            "sql": plan.mix.policy_cost.sql,
            **plan.mix.policy_cost.model_dump(include={"parameters"}),
            **({"parameters": {}} if "sql" in fields else {}),
            **fields,
        }
    )
    cost = measured(with_mix(plan, policy_cost=policy), pairs=WARM_UP_PAIRS)
    assert cost.effect is None
    assert why in cost.why_not


def test_too_few_pairs_are_told(measured):
    assert "fewer than 20 pairs" in measured(plan_of(), pairs=3).why_not
