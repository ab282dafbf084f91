"""What tests of the observer share: the plan's workload as a run has it, and a run of one's own."""

from waiting import until

from nightbench.database.observing.observer import Observer
from nightbench.database.provisions import load_provisions
from nightbench.database.tenancy import TenantSettings
from nightbench.database.workload import Workload, policy_statement, statements_of
from nightbench.plan import DatabasePlan


def plan_of(**fields):
    return DatabasePlan(
        **{"queries": 100, "workers": 2, "tenants": 50, "observation_interval": 0.05, **fields}
    )


def workload_of(plan):
    provisions = load_provisions(plan)
    statements = statements_of(plan.mix, provisions)
    return Workload(statements, provisions.tenants, seed=plan.seed, tag="nightbench:test:50")


def settings_of(plan):
    return TenantSettings(plan.mix.tenant_settings)


def policy_of(plan):
    return policy_statement(plan.mix, load_provisions(plan))


def with_mix(plan, **fields):
    """The plan with other fields of its workload."""
    return plan.model_copy(update={"workload": plan.mix.model_copy(update=fields)})


def observer_of(dsn, plan):
    return Observer(dsn, plan, workload_of(plan), settings_of(plan), policy=policy_of(plan))


def observed(dsn, plan, during=None):
    """Watch while `during` runs, all of it; it is the measure phase. It is given the observer."""
    observer = observer_of(dsn, plan)
    observer.start()
    observer.begin()
    try:
        if during is not None:
            until(lambda: observer._watch.begun)
            during(observer)
    finally:
        seen = observer.stop()
    return seen


def without_policy_cost(plan):
    return with_mix(plan, policy_cost=None)
