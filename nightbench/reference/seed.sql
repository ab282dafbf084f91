-- 1,000 tenants, 100,000 expenses, 5,000 budgets, 2,000 conversations and 20,000 messages: the same rows
-- every time. Nothing here asks for a random number or for today's date: draws are hashes of the row's
-- number, and the data's last month is June 2026. Run as the superuser, which row-level security spares.

-- The rows fit each other by construction; checking 100,000 foreign keys would take longer than writing them.
set session_replication_role = replica;

-- A whole number below `size` that depends on nothing but `n` and `salt`.
create function pg_temp.draw(n bigint, salt bigint, size bigint) returns bigint
    language sql immutable
    return (hashint8extended(n, salt) & 9223372036854775807) % size;

create function pg_temp.tenant(n bigint) returns uuid
    language sql immutable
    return md5('nightbench-tenant-' || n)::uuid;

insert into profiles (id, email, display_name, currency, timezone, created_at, updated_at)
select
    pg_temp.tenant(n),
    'tenant' || n || '@example.com',
    'Tenant ' || n,
    'EUR',
    (array['UTC', 'Europe/Berlin', 'America/New_York', 'Asia/Tokyo'])[1 + pg_temp.draw(n, 1, 4)],
    timestamptz '2025-01-01 00:00+00' + n * interval '1 hour',
    timestamptz '2026-06-01 00:00+00'
from generate_series(1, 1000) as n;

-- In the order of their dates, as an application would have written them: one tenant's rows lie apart.
insert into expenses (id, user_id, amount, category, description, spent_on, created_at, updated_at)
select
    md5('nightbench-expense-' || n)::uuid,
    pg_temp.tenant(1 + pg_temp.draw(n, 2, 1000)),
    (100 + pg_temp.draw(n, 3, 14900)) / 100.0,
    (array['groceries', 'rent', 'transport', 'dining', 'leisure', 'health', 'travel', 'other'])[1 + pg_temp.draw(n, 4, 8)],
    'Expense ' || n || ' at shop ' || pg_temp.draw(n, 5, 500),
    (at at time zone 'UTC')::date,
    at,
    at
from generate_series(1, 100000) as n
cross join lateral (select timestamptz '2025-07-01 00:00+00' + n * interval '315 seconds' as at) as moment;

insert into budgets (id, user_id, category, month, monthly_limit, created_at, updated_at)
select
    md5('nightbench-budget-' || n || '-' || category)::uuid,
    pg_temp.tenant(n),
    category,
    date '2026-06-01',
    100 + 10 * pg_temp.draw(n, 10 + number, 90),
    timestamptz '2026-06-01 00:00+00',
    timestamptz '2026-06-01 00:00+00'
from generate_series(1, 1000) as n
cross join unnest(array['groceries', 'transport', 'dining', 'leisure', 'travel']) with ordinality as _ (category, number);

insert into conversations (id, user_id, title, created_at, updated_at)
select
    md5('nightbench-conversation-' || n || '-' || k)::uuid,
    pg_temp.tenant(n),
    'Conversation ' || k,
    begun,
    begun + interval '9 minutes'
from generate_series(1, 1000) as n
cross join generate_series(1, 2) as k
cross join lateral (
    select timestamptz '2026-05-01 00:00+00' + (n + 1000 * k) * interval '20 minutes' as begun
) as moment;

insert into messages (id, conversation_id, user_id, role, content, created_at)
select
    md5('nightbench-message-' || n || '-' || k || '-' || m)::uuid,
    md5('nightbench-conversation-' || n || '-' || k)::uuid,
    pg_temp.tenant(n),
    case when m % 2 = 1 then 'user' else 'assistant' end,
    case
        when m % 2 = 1 then 'How much did I spend on budget line ' || pg_temp.draw(n * 100 + m, 6, 40) || '?'
        else 'You spent ' || (pg_temp.draw(n * 100 + m, 7, 90000) / 100.0)::numeric(12, 2)
            || ' EUR on it this month, in ' || pg_temp.draw(n * 100 + m, 8, 30) || ' purchases. '
            || repeat('Here is what stands out. ', 1 + pg_temp.draw(n * 100 + m, 9, 6)::integer)
    end,
    timestamptz '2026-05-01 00:00+00' + (n + 1000 * k) * interval '20 minutes' + (m - 1) * interval '1 minute'
from generate_series(1, 1000) as n
cross join generate_series(1, 2) as k
cross join generate_series(1, 10) as m;

reset session_replication_role;
