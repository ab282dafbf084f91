-- The schema of the reference backend, in the style of Supabase: the application logs in as
-- `authenticator`, becomes `authenticated` for one transaction, and tells whose request it is in the
-- setting request.jwt.claims. Row-level security does the rest. Run as the superuser, once, in an empty
-- database.

create role nightbench_owner nologin;
create role authenticated nologin;
create role service_role nologin bypassrls;  -- what no policy binds, to tell what the policies cost
create role authenticator login noinherit;  -- its password is set at each start
grant authenticated, service_role to authenticator with inherit false, set true;
-- So that the statistics of the server can be read with the one DSN that a load test has.
grant pg_read_all_stats to authenticator with inherit true, set false;

create extension pg_stat_statements;

-- Load tests may write here: see nightbench/database/permission.py, which looks for just this comment.
create schema nightbench authorization nightbench_owner;
do $$
begin
    execute format(
        'comment on schema nightbench is %L',
        (
            select format(
                'nightbench: load tests may write to %s (oid %s of server %s)', datname, oid, system_identifier
            )
            from pg_database cross join pg_control_system() where datname = current_database()
        )
    );
end
$$;

create schema auth authorization nightbench_owner;
grant usage on schema auth to authenticated, service_role;
alter schema public owner to nightbench_owner;
revoke create on schema public from public;
grant usage on schema public to authenticated, service_role;

set role nightbench_owner;

-- The tenant of the running transaction, null without one. A setting that was local to an earlier
-- transaction is left behind as an empty string.
create function auth.uid() returns uuid
    language sql stable
    return (nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'sub')::uuid;

create table profiles (
    id uuid primary key,
    email text not null unique,
    display_name text not null,
    currency char(3) not null default 'EUR',
    timezone text not null default 'UTC',
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now()
);

create table expenses (
    id uuid primary key default gen_random_uuid(),
    user_id uuid not null references profiles (id) on delete cascade,
    amount numeric(12, 2) not null check (amount > 0),
    currency char(3) not null default 'EUR',
    category text not null,
    description text not null default '',
    spent_on date not null default current_date,
    source text,  -- nightbench:<run_id>:<tenants> for what a load test writes, so that it can be removed
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now()
);
create index expenses_user_spent_on on expenses (user_id, spent_on desc);
create index expenses_user_category_spent_on on expenses (user_id, category, spent_on);
create index expenses_source on expenses (source) where source is not null;

create table budgets (
    id uuid primary key default gen_random_uuid(),
    user_id uuid not null references profiles (id) on delete cascade,
    category text not null,
    month date not null check (month = date_trunc('month', month)::date),
    monthly_limit numeric(12, 2) not null check (monthly_limit > 0),
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    unique (user_id, category, month)
);

create table conversations (
    id uuid primary key default gen_random_uuid(),
    user_id uuid not null references profiles (id) on delete cascade,
    title text not null,
    source text,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now()
);
create index conversations_user_updated_at on conversations (user_id, updated_at desc);
create index conversations_source on conversations (source) where source is not null;

create table messages (
    id uuid primary key default gen_random_uuid(),
    conversation_id uuid not null references conversations (id) on delete cascade,
    user_id uuid not null references profiles (id) on delete cascade,
    role text not null check (role in ('user', 'assistant')),
    content text not null,
    source text,
    created_at timestamptz not null default now()
);
create index messages_conversation_created_at on messages (conversation_id, created_at desc);
create index messages_user on messages (user_id);
create index messages_source on messages (source) where source is not null;

-- The scalar subselect lets PostgreSQL ask for the tenant once a statement instead of once a row.
alter table profiles enable row level security, force row level security;
create policy own_profile on profiles to authenticated
    using (id = (select auth.uid())) with check (id = (select auth.uid()));

alter table expenses enable row level security, force row level security;
create policy own_expenses on expenses to authenticated
    using (user_id = (select auth.uid())) with check (user_id = (select auth.uid()));

alter table budgets enable row level security, force row level security;
create policy own_budgets on budgets to authenticated
    using (user_id = (select auth.uid())) with check (user_id = (select auth.uid()));

alter table conversations enable row level security, force row level security;
create policy own_conversations on conversations to authenticated
    using (user_id = (select auth.uid())) with check (user_id = (select auth.uid()));

alter table messages enable row level security, force row level security;
create policy own_messages on messages to authenticated
    using (user_id = (select auth.uid())) with check (user_id = (select auth.uid()));

create view budget_utilization with (security_invoker = true) as
select
    budget.id as budget_id,
    budget.user_id,
    budget.category,
    budget.month,
    budget.monthly_limit,
    coalesce(sum(expense.amount), 0) as spent,
    round(100 * coalesce(sum(expense.amount), 0) / budget.monthly_limit, 1) as utilization_percent
from budgets as budget
left join expenses as expense
    on expense.user_id = budget.user_id
    and expense.category = budget.category
    and expense.spent_on >= budget.month
    and expense.spent_on < (budget.month + interval '1 month')
group by budget.id;

grant select, insert, update, delete on profiles, expenses, budgets, conversations, messages
    to authenticated, service_role;
grant select on budget_utilization to authenticated, service_role;

reset role;
