-- bot4: what the bot keeps in Supabase. Run it in the SQL editor of an empty project, or `supabase db push`.
-- It can be run again: what is already there stays as it is.
--
-- The bot is the only writer, with the secret key (role service_role). Rows are copies: the bot's own journal
-- and the venues are the truth. Every key is made by the bot, so writing a row twice changes nothing.

-- ------------------------------------------------------------------------------------------------ who may write

create table if not exists public.instances (
  account_id  uuid primary key,
  account     text not null,
  mode        text not null check (mode in ('simulation', 'testnet', 'live')),
  holder      text not null check (holder <> ''),
  version     text not null,
  token       bigint not null default 1 check (token > 0),
  taken_at    timestamptz not null default clock_timestamp(),
  renewed_at  timestamptz not null default clock_timestamp(),
  released_at timestamptz,
  ttl_s       integer not null check (ttl_s > 0),
  bound_s     integer not null check (bound_s >= 0)
);
comment on table public.instances is 'One row an account: which bot may trade and write for it. A lease with a fencing token.';
comment on column public.instances.account_id is 'Key made from mode and the public names of the two venue accounts';
comment on column public.instances.account is 'The public names of the two venue accounts';
comment on column public.instances.mode is 'simulation, testnet or live';
comment on column public.instances.holder is 'Which bot holds it: its journal and its machine';
comment on column public.instances.version is 'Version of bot4 of the holder';
comment on column public.instances.token is 'Rises with every taking; rows with an older token are refused';
comment on column public.instances.taken_at is 'When the holder took it, by this database''s clock';
comment on column public.instances.renewed_at is 'When the holder last said that it lives, by this database''s clock';
comment on column public.instances.released_at is 'When the holder gave it back; empty while it is held';
comment on column public.instances.ttl_s is 'Seconds: a holder that cannot renew for so long opens nothing new';
comment on column public.instances.bound_s is 'Seconds: the longest that an opened trade takes to be hedged or taken back';

-- ------------------------------------------------------------------------------------------------------- events

create table if not exists public.events (
  id              uuid primary key,
  account_id      uuid not null references public.instances (account_id),
  trade_id        text not null,
  seq             bigint not null check (seq > 0),
  kind            text not null check (kind <> ''),
  client_order_id text not null,
  body            text not null,
  journal         text not null,
  journal_row     bigint not null check (journal_row > 0),
  written_at      timestamptz not null,
  token           bigint not null,
  unique (account_id, trade_id, seq)
);
comment on table public.events is 'The journal, row by row: enough to bring open trades back on a new machine';
comment on column public.events.id is 'Key made from account, trade and number';
comment on column public.events.account_id is 'Whose';
comment on column public.events.trade_id is 'The trade it belongs to';
comment on column public.events.seq is 'Number of the event within its trade, from 1, without gaps';
comment on column public.events.kind is 'Planned, Intended, Answered, Reported, Filled, Missing, Corrected, Closed, ...';
comment on column public.events.client_order_id is 'The order it is about, or empty';
comment on column public.events.body is 'The event itself as JSON text, decimals as text: exactly what the journal holds';
comment on column public.events.journal is 'Name of the journal that wrote it';
comment on column public.events.journal_row is 'Its row there';
comment on column public.events.written_at is 'When it was written, by the bot''s clock';
comment on column public.events.token is 'Token of the bot that sent it';

-- ------------------------------------------------------------------------------------------------------- trades

create table if not exists public.trades (
  id                  uuid primary key,
  account_id          uuid not null references public.instances (account_id),
  trade_id            text not null,
  pair                text not null,
  long_venue          text not null,
  long_market         text not null,
  short_venue         text not null,
  short_market        text not null,
  status              text not null check (status in ('open', 'closed')),
  state               text not null,
  outcome             text check (outcome in ('closed', 'unwound', 'missed')),
  size                numeric not null check (size > 0),
  matched             numeric check (matched >= 0),
  target_percent      numeric,
  detected_percent    numeric,
  entry_percent       numeric,
  exit_percent        numeric,
  entry_slippage_bps  numeric,
  exit_slippage_bps   numeric,
  quote_rate          numeric not null check (quote_rate > 0),
  gross_usdc          numeric,
  fees_usdc           numeric,
  funding_usdc        numeric,
  net_usdc            numeric,
  mended              boolean,
  orders              integer not null check (orders >= 0),
  naked_usd_s         numeric,
  naked_s             numeric,
  latency_ms          jsonb not null default '{}',
  decided_at          timestamptz,
  opened_at           timestamptz not null,
  closed_at           timestamptz,
  version             bigint not null check (version > 0),
  token               bigint not null,
  unique (account_id, trade_id),
  check ((status = 'closed') = (closed_at is not null)),
  check ((status = 'closed') = (outcome is not null))
);
comment on table public.trades is 'One round trip a row, with its whole account once it is over';
comment on column public.trades.id is 'Key made from account and trade';
comment on column public.trades.account_id is 'Whose';
comment on column public.trades.trade_id is 'The bot''s name for it, as in the log';
comment on column public.trades.pair is 'Name of the pair in bot4.yaml';
comment on column public.trades.long_venue is 'Where it bought at entry';
comment on column public.trades.long_market is 'That venue''s name of the market';
comment on column public.trades.short_venue is 'Where it sold at entry';
comment on column public.trades.short_market is 'That venue''s name of the market';
comment on column public.trades.status is 'open, then closed, for ever';
comment on column public.trades.state is 'opening, settling, mending, hedged, closing, unwinding, stranded or flat';
comment on column public.trades.outcome is 'closed: it was hedged once; unwound: taken back; missed: nothing filled';
comment on column public.trades.size is 'Base units planned for each leg';
comment on column public.trades.matched is 'Base units that both legs opened';
comment on column public.trades.target_percent is 'Entry spread asked for, percent';
comment on column public.trades.detected_percent is 'Entry spread seen when it was decided, percent';
comment on column public.trades.entry_percent is 'Entry spread that the fills earned, percent';
comment on column public.trades.exit_percent is 'Exit spread that the fills earned, percent';
comment on column public.trades.entry_slippage_bps is 'Detected less earned at entry, basis points; positive is worse';
comment on column public.trades.exit_slippage_bps is 'The same at exit';
comment on column public.trades.quote_rate is 'USD per USDC at the entry';
comment on column public.trades.gross_usdc is 'What prices earned, USDC';
comment on column public.trades.fees_usdc is 'Fees paid on both venues, USDC';
comment on column public.trades.funding_usdc is 'Funding received, USDC; empty where it was not measured';
comment on column public.trades.net_usdc is 'What is left: prices less fees plus funding, USDC';
comment on column public.trades.mended is 'Whether a missing leg was completed after the first attempt';
comment on column public.trades.orders is 'Orders sent or meant for it';
comment on column public.trades.naked_usd_s is 'Exposure without hedge: USD times seconds';
comment on column public.trades.naked_s is 'Seconds without hedge';
comment on column public.trades.latency_ms is 'Milliseconds by stage, as numbers';
comment on column public.trades.decided_at is 'When it was decided, by the venue''s clock';
comment on column public.trades.opened_at is 'When its first row was journaled, by the bot''s clock';
comment on column public.trades.closed_at is 'When it was over, by the bot''s clock';
comment on column public.trades.version is 'Events of the trade that this row has seen; an older row never replaces a newer one';
comment on column public.trades.token is 'Token of the bot that wrote it';

-- ---------------------------------------------------------------------------------------------------- positions

create table if not exists public.positions (
  id          uuid primary key references public.trades (id),
  account_id  uuid not null references public.instances (account_id),
  pair        text not null,
  status      text not null check (status in ('open', 'closed')),
  state       text not null,
  long_size   numeric not null,
  short_size  numeric not null,
  net_size    numeric not null,
  opened_at   timestamptz not null,
  closed_at   timestamptz,
  version     bigint not null check (version > 0),
  token       bigint not null,
  check ((status = 'closed') = (closed_at is not null))
);
create unique index if not exists positions_one_open_a_pair on public.positions (account_id, pair) where status = 'open';
comment on table public.positions is 'What each trade holds. A pair has one open position at most';
comment on column public.positions.id is 'The key of its trade';
comment on column public.positions.account_id is 'Whose';
comment on column public.positions.pair is 'Name of the pair in bot4.yaml';
comment on column public.positions.status is 'open, then closed, for ever';
comment on column public.positions.state is 'As in trades';
comment on column public.positions.long_size is 'Base units held where it bought; positive is long';
comment on column public.positions.short_size is 'Base units held where it sold; negative is short';
comment on column public.positions.net_size is 'The sum of both: 0 when hedged';
comment on column public.positions.opened_at is 'When its first row was journaled, by the bot''s clock';
comment on column public.positions.closed_at is 'When it was over, by the bot''s clock';
comment on column public.positions.version is 'As in trades';
comment on column public.positions.token is 'Token of the bot that wrote it';

-- --------------------------------------------------------------------------------------------------------- legs

create table if not exists public.legs (
  id           uuid primary key,
  account_id   uuid not null references public.instances (account_id),
  trade_key    uuid not null references public.trades (id),
  leg          text not null check (leg in ('long', 'short')),
  venue        text not null,
  market       text not null,
  status       text not null check (status in ('open', 'closed')),
  held_size    numeric not null,
  opened_size  numeric not null check (opened_size >= 0),
  closed_size  numeric not null check (closed_size >= 0),
  entry_price  numeric check (entry_price > 0),
  exit_price   numeric check (exit_price > 0),
  fees         numeric not null,
  version      bigint not null check (version > 0),
  token        bigint not null,
  unique (trade_key, leg)
);
comment on table public.legs is 'The two halves of each trade, one a venue';
comment on column public.legs.id is 'Key made from trade and half';
comment on column public.legs.account_id is 'Whose';
comment on column public.legs.trade_key is 'Key of the trade';
comment on column public.legs.leg is 'long: bought at entry; short: sold at entry';
comment on column public.legs.venue is 'vest or paradex';
comment on column public.legs.market is 'The venue''s name of the market';
comment on column public.legs.status is 'As the trade''s';
comment on column public.legs.held_size is 'Base units held now, signed';
comment on column public.legs.opened_size is 'Base units that entry and repair orders filled';
comment on column public.legs.closed_size is 'Base units that exit and unwinding orders filled';
comment on column public.legs.entry_price is 'Average price of what opened, in the venue''s currency';
comment on column public.legs.exit_price is 'Average price of what closed';
comment on column public.legs.fees is 'Fees of the fills heard of, in the venue''s currency';
comment on column public.legs.version is 'As in trades';
comment on column public.legs.token is 'Token of the bot that wrote it';

-- ------------------------------------------------------------------------------------------------------- orders

create table if not exists public.orders (
  id              uuid primary key,
  account_id      uuid not null references public.instances (account_id),
  trade_key       uuid not null references public.trades (id),
  leg_key         uuid not null references public.legs (id),
  client_order_id text not null,
  venue_order_id  text not null,
  venue           text not null,
  market          text not null,
  purpose         text not null check (purpose in ('enter', 'exit', 'mend', 'unwind', 'flatten')),
  attempt         integer not null check (attempt > 0),
  side            text not null check (side in ('buy', 'sell')),
  size            numeric not null check (size > 0),
  limit_price     numeric not null check (limit_price > 0),
  reduce_only     boolean not null,
  status          text not null check (status in ('intent', 'sending', 'acked', 'partial', 'cancelling', 'doubt',
                                                  'filled', 'part_closed', 'cancelled', 'refused', 'never')),
  filled          numeric not null check (filled >= 0),
  average_price   numeric check (average_price > 0),
  fee             numeric,
  reason          text not null,
  signed_at       timestamptz,
  intended_at     timestamptz not null,
  ended_at        timestamptz,
  version         bigint not null check (version > 0),
  token           bigint not null,
  unique (account_id, venue, client_order_id),
  unique (id, trade_key)
);
comment on table public.orders is 'Every order that was meant, before its first byte left, and what became of it';
comment on column public.orders.id is 'Key made from account, venue and our name for the order';
comment on column public.orders.account_id is 'Whose';
comment on column public.orders.trade_key is 'Key of its trade';
comment on column public.orders.leg_key is 'Key of its half of the trade';
comment on column public.orders.client_order_id is 'Our name for it; at Vest the nonce';
comment on column public.orders.venue_order_id is 'The venue''s name for it; empty until known';
comment on column public.orders.venue is 'vest or paradex';
comment on column public.orders.market is 'The venue''s name of the market';
comment on column public.orders.purpose is 'enter, exit, mend (complete a missing leg), unwind (take back) or flatten';
comment on column public.orders.attempt is 'Which try it is, from 1';
comment on column public.orders.side is 'buy or sell';
comment on column public.orders.size is 'Base units';
comment on column public.orders.limit_price is 'Worst acceptable price, in the venue''s currency';
comment on column public.orders.reduce_only is 'Whether it can only make a position smaller';
comment on column public.orders.status is 'Where it stands; the last five are final';
comment on column public.orders.filled is 'Base units filled';
comment on column public.orders.average_price is 'Average price of what filled';
comment on column public.orders.fee is 'Fee paid, in the venue''s currency; negative is a rebate; empty while unknown';
comment on column public.orders.reason is 'The venue''s or our words for a refusal, a doubt or an end';
comment on column public.orders.signed_at is 'Venue time that the signature covers';
comment on column public.orders.intended_at is 'When it was journaled, by the bot''s clock';
comment on column public.orders.ended_at is 'When its end was journaled, by the bot''s clock';
comment on column public.orders.version is 'As in trades';
comment on column public.orders.token is 'Token of the bot that wrote it';

-- -------------------------------------------------------------------------------------------------------- fills

create table if not exists public.fills (
  id             uuid primary key,
  account_id     uuid not null references public.instances (account_id),
  trade_key      uuid not null,
  order_key      uuid not null,
  venue          text not null,
  fill_id        text not null,
  venue_order_id text not null,
  market         text not null,
  side           text not null check (side in ('buy', 'sell')),
  price          numeric not null check (price > 0),
  size           numeric not null check (size > 0),
  fee            numeric not null,
  kind           text not null,
  venue_time     timestamptz,
  heard_at       timestamptz not null,
  version        bigint not null check (version > 0),
  token          bigint not null,
  unique (account_id, venue, fill_id),
  foreign key (order_key, trade_key) references public.orders (id, trade_key)
);
comment on table public.fills is 'Every fill a venue told of, once. It belongs to one order of one trade, for ever';
comment on column public.fills.id is 'Key made from account, venue and the venue''s name for the fill';
comment on column public.fills.account_id is 'Whose';
comment on column public.fills.trade_key is 'Key of its trade';
comment on column public.fills.order_key is 'Key of its order';
comment on column public.fills.venue is 'vest or paradex';
comment on column public.fills.fill_id is 'The venue''s name for the fill';
comment on column public.fills.venue_order_id is 'The venue''s name for the order';
comment on column public.fills.market is 'The venue''s name of the market';
comment on column public.fills.side is 'buy or sell';
comment on column public.fills.price is 'In the venue''s currency';
comment on column public.fills.size is 'Base units';
comment on column public.fills.fee is 'In the venue''s currency; negative is a rebate';
comment on column public.fills.kind is 'trade, or the venue''s own word: liquidation, transfer; busted once the venue took it back';
comment on column public.fills.venue_time is 'By the venue''s clock; empty when it does not say';
comment on column public.fills.heard_at is 'When it was journaled, by the bot''s clock';
comment on column public.fills.version is 'As in trades';
comment on column public.fills.token is 'Token of the bot that wrote it';

-- ---------------------------------------------------------------------------------------------------- decisions

create table if not exists public.decisions (
  id         uuid primary key,
  account_id uuid not null references public.instances (account_id),
  trade_id   text not null,
  pair       text not null,
  decided_at timestamptz not null,
  decision   text not null check (decision in ('enter', 'exit', 'mend', 'unwind', 'hold')),
  reason     text not null,
  percent    numeric,
  target_percent numeric,
  version    bigint not null check (version > 0),
  token      bigint not null
);
create index if not exists decisions_by_time on public.decisions (account_id, decided_at);
comment on table public.decisions is 'What was decided: every enter, exit, mend and unwind, and now and then why nothing was done';
comment on column public.decisions.id is 'Key made from trade and number, or from pair and time';
comment on column public.decisions.account_id is 'Whose';
comment on column public.decisions.trade_id is 'The trade it led to; empty for hold';
comment on column public.decisions.pair is 'Name of the pair in bot4.yaml';
comment on column public.decisions.decided_at is 'When, by the bot''s clock';
comment on column public.decisions.decision is 'enter, exit, mend, unwind or hold';
comment on column public.decisions.reason is 'Why nothing was done; empty otherwise';
comment on column public.decisions.percent is 'The spread it was decided on, percent; empty when not known';
comment on column public.decisions.target_percent is 'The spread asked for, percent';
comment on column public.decisions.version is 'As in trades';
comment on column public.decisions.token is 'Token of the bot that wrote it';

-- ------------------------------------------------------------------------------------------------------- guards

create or replace function public.bot4_rank(status text) returns integer
language sql immutable set search_path = '' as $$
  select case
    when status = 'intent' then 0
    when status in ('filled', 'part_closed', 'cancelled', 'refused', 'never', 'closed') then 2
    else 1
  end
$$;
comment on function public.bot4_rank(text) is 'How far a status has come: 0 meant, 1 under way, 2 over. It never sinks';

create or replace function public.bot4_guard() returns trigger
language plpgsql set search_path = '' as $$
declare
  holding bigint;
  was jsonb;
  is_now jsonb;
begin
  -- A share lock: whoever wants to take the account over waits until this write is done, or comes first.
  select token into holding from public.instances where account_id = new.account_id for share;
  if holding is distinct from new.token then
    raise exception 'bot4: token % is not the one that holds this account (%)', new.token, holding
      using errcode = 'B4001', hint = 'another bot took the account over';
  end if;
  if tg_op = 'INSERT' then
    return new;
  end if;
  if tg_table_name in ('events', 'fills', 'decisions') then
    was := to_jsonb(old) - 'token' - 'version' - 'journal' - 'journal_row' - 'written_at' - 'heard_at';
    is_now := to_jsonb(new) - 'token' - 'version' - 'journal' - 'journal_row' - 'written_at' - 'heard_at';
    if tg_table_name = 'fills' and is_now ->> 'kind' = 'busted' and was ->> 'kind' <> 'busted'
        and was - 'kind' = is_now - 'kind' then
      return new;  -- the venue took it back
    end if;
    if was ->> 'kind' = 'busted' and tg_table_name = 'fills' and was - 'kind' = is_now - 'kind' then
      return null;  -- what was told of it before
    end if;
    if was is distinct from is_now then
      raise exception 'bot4: % % is written and stays as it is', tg_table_name, old.id using errcode = 'B4003';
    end if;
    return null;
  end if;
  if new.version <= old.version then
    return null;  -- an older word, or the same one again
  end if;
  if public.bot4_rank(new.status) < public.bot4_rank(old.status) then
    raise exception 'bot4: % % cannot go back from % to %', tg_table_name, old.id, old.status, new.status
      using errcode = 'B4002';
  end if;
  return new;
end
$$;
comment on function public.bot4_guard() is 'Refuses a stale bot, a status that goes back and a changed fact; skips what is older than the row';

do $$
declare
  name text;
begin
  foreach name in array array['events', 'trades', 'positions', 'legs', 'orders', 'fills', 'decisions'] loop
    execute format('drop trigger if exists bot4_guard on public.%I', name);
    execute format('create trigger bot4_guard before insert or update on public.%I '
                   'for each row execute function public.bot4_guard()', name);
  end loop;
end
$$;

-- -------------------------------------------------------------------------------------------------------- lease

create or replace function public.bot4_claim(
  p_account_id uuid, p_account text, p_mode text, p_holder text, p_version text, p_ttl_s integer, p_bound_s integer
) returns jsonb
language plpgsql set search_path = '' as $$
declare
  held public.instances;
  free_at timestamptz;
  at timestamptz;
begin
  insert into public.instances (account_id, account, mode, holder, version, ttl_s, bound_s)
    values (p_account_id, p_account, p_mode, p_holder, p_version, p_ttl_s, p_bound_s)
    on conflict (account_id) do nothing
    returning * into held;
  if found then
    return jsonb_build_object('granted', true, 'token', held.token, 'holder', held.holder, 'seen_s', 0, 'free_in_s', 0);
  end if;
  select * into held from public.instances where account_id = p_account_id for update;
  at := clock_timestamp();
  free_at := held.renewed_at + make_interval(secs => held.ttl_s + held.bound_s);
  if held.holder <> p_holder and held.released_at is null and at < free_at then
    return jsonb_build_object(
      'granted', false, 'token', held.token, 'holder', held.holder,
      'seen_s', floor(extract(epoch from at - held.renewed_at)),
      'free_in_s', ceil(extract(epoch from free_at - at)));
  end if;
  update public.instances
    set token = token + 1, account = p_account, holder = p_holder, version = p_version, ttl_s = p_ttl_s,
        bound_s = p_bound_s, taken_at = at, renewed_at = at, released_at = null
    where account_id = p_account_id
    returning * into held;
  return jsonb_build_object('granted', true, 'token', held.token, 'holder', held.holder, 'seen_s', 0, 'free_in_s', 0);
end
$$;
comment on function public.bot4_claim(uuid, text, text, text, text, integer, integer) is
  'Takes an account for one bot: free, given back, its own, or silent for longer than ttl and bound';

create or replace function public.bot4_renew(p_account_id uuid, p_token bigint) returns boolean
language sql set search_path = '' as $$
  with renewed as (
    update public.instances set renewed_at = clock_timestamp()
      where account_id = p_account_id and token = p_token and released_at is null
      returning true
  )
  select exists (select from renewed)
$$;
comment on function public.bot4_renew(uuid, bigint) is 'The holder lives; false when it is not the holder any more';

create or replace function public.bot4_release(p_account_id uuid, p_token bigint) returns boolean
language sql set search_path = '' as $$
  with released as (
    update public.instances set released_at = clock_timestamp()
      where account_id = p_account_id and token = p_token and released_at is null
      returning true
  )
  select exists (select from released)
$$;
comment on function public.bot4_release(uuid, bigint) is 'Gives the account back: the next bot need not wait';

-- ------------------------------------------------------------------------------------------------------ reading

create or replace view public.unfinished_events with (security_invoker = true) as
  select e.* from public.events e
  where e.trade_id <> '' and (
    not exists (
      select from public.events c
      where c.account_id = e.account_id and c.trade_id = e.trade_id and c.kind = 'Closed'
    )
    -- A fill that was told late, or taken back, may make a trade go on that was over.
    or exists (
      select from public.trades t
      where t.account_id = e.account_id and t.trade_id = e.trade_id and t.state <> 'flat'
    )
  );
comment on view public.unfinished_events is 'The events of trades that are not over: what a new machine begins with';

create or replace function public.bot4_schema() returns jsonb
language sql stable set search_path = '' as $$
  with ours as (
    select c.oid, c.relname as name, c.relrowsecurity as secured from pg_catalog.pg_class c
      where c.relnamespace = 'public'::regnamespace
        and c.relname in ('instances', 'events', 'trades', 'positions', 'legs', 'orders', 'fills', 'decisions')
  )
  select jsonb_build_object(
    'version', 2,
    'functions', coalesce(
      (select jsonb_agg(p.proname order by p.proname) from pg_catalog.pg_proc p
         where p.pronamespace = 'public'::regnamespace and p.proname like 'bot4\_%'), '[]'),
    'unprotected', coalesce((select jsonb_agg(name order by name) from ours where not secured), '[]'),
    'unguarded', coalesce(
      (select jsonb_agg(name order by name) from ours where name <> 'instances' and not exists (
         select from pg_catalog.pg_trigger t where t.tgrelid = ours.oid and t.tgname = 'bot4_guard'
           and t.tgenabled <> 'D')), '[]'))
$$;
comment on function public.bot4_schema() is 'Version of this schema, its functions, and which tables lack security or guard';

-- ------------------------------------------------------------------------------------------------------- rights

do $$
declare
  name text;
begin
  foreach name in array array['instances', 'events', 'trades', 'positions', 'legs', 'orders', 'fills', 'decisions'] loop
    execute format('alter table public.%I enable row level security', name);
    execute format('revoke all on public.%I from anon, authenticated', name);
    execute format('grant select, insert, update, delete on public.%I to service_role', name);
  end loop;
end
$$;
revoke all on public.unfinished_events from anon, authenticated;
grant select on public.unfinished_events to service_role;
revoke execute on function
  public.bot4_rank(text), public.bot4_guard(), public.bot4_schema(),
  public.bot4_claim(uuid, text, text, text, text, integer, integer),
  public.bot4_renew(uuid, bigint), public.bot4_release(uuid, bigint)
  from public, anon, authenticated;
grant execute on function
  public.bot4_rank(text), public.bot4_guard(), public.bot4_schema(),
  public.bot4_claim(uuid, text, text, text, text, integer, integer),
  public.bot4_renew(uuid, bigint), public.bot4_release(uuid, bigint)
  to service_role;
