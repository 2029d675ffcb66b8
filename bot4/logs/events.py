"""The closed list of events, each with what it tells. Nothing else is ever logged."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

MEANINGS: Final[Mapping[str, str]] = {
    # the process
    "bot.started": "The bot begins, with this version and mode",
    "bot.ended": "The bot is done; uptime of each feed, and the exit code",
    "bot.crashed": "An error nobody foresaw ended a task; the bot stops",
    "start.refused": "Starting now would be unsafe, so nothing was started",
    "config.loaded": "bot4.yaml was read and is usable",
    "config.questioned": "A setting is allowed and probably not wanted",
    "config.invalid": "One thing in bot4.yaml or .env that cannot be used",
    "loop.stalled": "The event loop was kept from running",
    # venues and streams
    "venue.ready": "A venue answers and our session there is valid",
    "venue.unreachable": "A venue does not answer; it is tried again",
    "profile.refused": "A venue does not grant what bot4.yaml asks for; it goes on without",
    "row.unread": "A venue's row or event that cannot be read was stepped over",
    "market.changed": "A venue changed the fees of a market we trade",
    "fees.differ": "A venue charges our orders more than it lists; decisions count with that",
    "fees.agree": "A venue charges what it lists again",
    "feed.ready": "A book streams and is usable",
    "feed.stepped_down": "A venue does not serve what a stream asked for; it asks for less",
    "feed.lost": "A stream broke; it is opened again",
    # deciding
    "spread.seen": "Entry and exit spread at size, sampled",
    "exit.held": "A pair would be closed and a venue executes no orders",
    "entry.held": "A spread was eligible and something forbade entering",
    "pair.missed": "A spread was gone, or we were late, before anything was sent",
    "opening.stopped": "Nothing opens until the reason is gone",
    "opening.resumed": "Opening is allowed again",
    "bound.stated": "How long a leg may be alone and what that may cost",
    # trades and their orders
    "pair.opening": "Two orders leave together",
    "pair.opened": "Both legs are filled: hedged",
    "pair.held": "A hedged pair is kept, open",
    "pair.closing": "Both closing orders leave together",
    "pair.closed": "Both legs are closed; the whole account of the trade",
    "pair.unwound": "A pair that failed was taken back; what it cost",
    "leg.sent": "An order's bytes are on their way",
    "leg.accepted": "The venue queued an order",
    "leg.filled": "An order filled, wholly or in part",
    "leg.refused": "The venue definitely refused an order",
    "leg.in_doubt": "Nobody knows what became of an order; the venue is asked",
    "leg.resolved": "What became of an order in doubt is now known",
    "fill.busted": "A venue took a fill of ours back",
    "leg.retried": "A missing leg is tried again",
    "exposure.left": "A leg is open without its hedge and could not be closed",
    "exposure.found": "A position or order that no trade explains",
    "order.unknown": "An order of ours that the journal does not know",
    "trade.recovered": "A trade of an earlier run was found and goes on",
    "trade.closed_outside": "A trade's legs were closed by somebody else",
    "trade.rebooked": "An account that was an estimate is replaced by what the venues tell now",
    "trade.reopened": "A finished trade's fill was told late or taken back: it goes on",
    "journal.failed": "The journal could not be written; nothing opens",
    "disk.measured": "How long the disk takes to keep an order before it may leave",
    "journal.lost": "The journal or its folder was deleted, moved or replaced; nothing opens",
    "history.moved": "Old trades moved from the journal to the archive beside it",
    "history.failed": "Old trades could not be moved; they stay in the journal",
    # the copy in Supabase, and who may trade the account
    "mirror.off": "There is no copy elsewhere: the journal on this machine is the only one",
    "mirror.ready": "Supabase answers, and this bot holds the account",
    "mirror.sent": "How much was copied and how far behind the copy is, sampled",
    "mirror.away": "Supabase does not answer; what waits, waits here",
    "mirror.unusable": "Supabase's key or tables are wrong; a person has to mend it",
    "mirror.caught_up": "Supabase is back and has everything",
    "mirror.refused": "Supabase refused rows; the journal keeps them",
    "mirror.restarted": "Supabase lacks what it had; everything is sent again",
    "mirror.restored": "Open trades were brought back from Supabase",
    "mirror.differs": "Journal and Supabase disagree about a trade; the venues decide",
    "lease.waiting": "Another bot holds this account; its sign of life is waited for",
    "lease.refused": "Another bot holds this account",
    "lease.lost": "Another bot took this account over",
    # leaving
    "shutdown.requested": "Somebody asked the bot to stop",
    "shutdown.clean": "Nothing of ours is open, or hedged as configured",
    "shutdown.held": "A pair stays open and nothing watches it until the next start; its figures",
    "shutdown.early": "The bot stopped before it had compared both venues; nothing was held",
    "shutdown.left": "Something is open or unproven; which, and what to do",
    # the embedded venues, and the way out by hand
    "window.missing": "Other commands cannot ask the running bot",
    "simulator.started": "The simulated venues serve",
    "simulator.died": "The embedded venues ended by themselves, and the bot with them",
    "flatten.planned": "What flattening will cancel and close",
    "flatten.done": "The account is proven flat",
    "flatten.failed": "The account is not proven flat; what is left",
    # the second process that watches the bot
    "guard.watching": "The guard sees a bot, and what it will do when that one falls silent",
    "guard.silent": "The bot gave no sign of life for too long; the guard acts",
    "guard.killed": "The guard ended a bot that hung",
    "guard.finished": "The guard has cleaned up, or could not prove it and tries again",
    "guard.stepped_back": "The guard did nothing: the account may be in other hands",
    # the log itself
    "log.dropped": "Lines that could not be written here",
    "library.warned": "A library we use logged a warning",
    "error.ignored": "An error in a finaliser or a thread, where nobody can catch it",
    "error.traced": "Where in the code the error of the line before arose",
}

EVENTS: Final = frozenset(MEANINGS)
