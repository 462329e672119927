//! Bounds of the phone's own behaviour, each with the reason for its number.

/// Handoffs opened but not completed that are held in memory; a courier works at one door at a time.
pub const MAX_OPEN_DRAFTS: usize = 32;

/// An open handoff with photos is taken up again after a kill for this long; a photo of the morning
/// must not pass for one of the evening's visit.
pub const DRAFT_RESUMABLE_MS: i64 = 30 * 60 * 1_000;

/// A handoff that was not completed within a day is abandoned, and its photos are removed.
pub const DRAFT_ABANDONED_MS: i64 = 24 * 60 * 60 * 1_000;

/// Entries looked through for a visit that somebody completes a second time: several days' work.
pub const COMPLETED_LOOKBACK_ENTRIES: i64 = 4_000;

/// What photos may take before receipted ones give way: some thousand, two weeks of work.
pub const PHOTO_QUOTA_BYTES: u64 = 256 * 1_024 * 1_024;

/// When receipted photos give way, this part of the quota is freed at once.
pub const QUOTA_SLACK_DIVISOR: u64 = 20;

/// Photos per attempt: the entry binds at most 16 proofs, one is the signature and one a code.
pub const MAX_PHOTOS_PER_ATTEMPT: usize = 12;

/// Photos a new one is compared with, to notice the same picture used twice: some two days of work.
pub const PHOTOS_COMPARED: u32 = 1_000;

/// Longest name of a signer, in characters.
pub const MAX_NAME_CHARS: usize = 80;

/// Earlier drawings a signature is compared with. A pad that is not cleared shows at the next visit.
pub const SIGNATURES_COMPARED: usize = 16;

/// Parcels in one attempt: a cage of parcels for one reception desk.
pub const MAX_PARCELS_PER_ATTEMPT: usize = 200;

/// A task the host never completed is handed out again after this time: longer than any of the bindings' transports
/// waits for an answer. The background session of iOS waits a quarter of an hour, and whatever comes later than this
/// is not looked at.
pub const TASK_LOST_AFTER_MS: i64 = 16 * 60 * 1_000;

/// Without being asked for, the feed is pulled once in this time.
pub const FEED_POLL_MS: i64 = 60 * 1_000;

/// A request for news that is answered faster than this was not kept waiting: there is news, or the hub does
/// not know how to wait.
pub const POLL_LEAST_MS: i64 = 2_000;

/// As many in a row may be: a busy minute at the dispatcher's desk. A feed that always has news is not kept up with
/// at the price of the battery.
pub const MAX_QUICK_POLLS: u32 = 16;

/// Then the next one waits this long, so that such a hub is asked no more often than by a careful person.
pub const POLL_REST_MS: i64 = 5_000;

/// Pages of the feed read without a pause: a hub that is new to this phone sends a few dozen.
pub const MAX_FEED_PAGES: usize = 1_000;

/// Pages in a row with nothing in them but the word that there is more. Items of others may fill a few.
pub const MAX_EMPTY_FEED_PAGES: usize = 16;

/// Entries of one frame of an export file: the same bound as a batch on a good line.
pub const EXPORT_BATCH_BYTES: usize = 1_024 * 1_024;

/// First retry of a failed task; doubles with each failure.
pub const RETRY_FIRST_MS: i64 = 2_000;

/// Longest time between retries: short enough that a queue drains soon after a hub is back.
pub const RETRY_MAX_MS: i64 = 5 * 60 * 1_000;

/// A refusal that only a person can lift is asked about again this rarely.
pub const RETRY_REFUSED_MS: i64 = 15 * 60 * 1_000;

/// Requests in a row that no hub answered before one lane asks for all: a line that merely stutters does not come to
/// that, and a dead one does with the first look of each lane.
pub const HUB_AWAY_AFTER: u32 = 3;

/// Longest `Retry-After` that is believed of an answer in the hub's own words: half a morning. More is an outage, and
/// its end should be noticed on the same day.
pub const RETRY_AFTER_HUB_MOST_MS: i64 = 2 * 60 * 60 * 1_000;

/// The same for any other answer. A portal or a proxy is left behind with its network, and it does not know how long
/// the hub will be away.
pub const RETRY_AFTER_MOST_MS: i64 = 15 * 60 * 1_000;

/// How often a running phone looks whether the files of lost photos are there again; a look that fails is made again
/// after [`RETRY_MAX_MS`].
pub const LOST_LOOK_EVERY_MS: i64 = 60 * 60 * 1_000;

/// How long photos that cannot be read wait for their folder, or each for its file, before they count as lost: a weekend
/// on which nobody unlocks the phone, and the first day of work after it. Without an end such a photo would warn at each
/// sign-out and hold up an erasure for ever.
pub const UNREAD_PHOTOS_WAIT_MS: i64 = 3 * DAY_MS;

/// How long after the midnight (UTC) of its date a round counts as over: a date is a local one of a zone between UTC-12
/// and UTC+14 that the phone is not told, and late rounds end in the night.
pub const PAST_AFTER_MS: i64 = 36 * 60 * 60 * 1_000;

/// How often a running phone looks whether stops are past, besides after each page of the feed.
pub const PAST_LOOK_EVERY_MS: i64 = 10 * 60 * 1_000;

/// A courier who asks for a sync passes a wait that the hub asked for no more often than this: one more request of
/// each kind, which helps where it was a proxy's wait and the phone is in another network by now.
pub const TOLD_WAIT_PASSED_EVERY_MS: i64 = 15 * 60 * 1_000;

/// Read connections kept open beside the one writer.
pub const MAX_READERS: usize = 2;

/// Requests one upload may take without getting on before it has to wait and others go first. Create, ask, resume and
/// ask for the receipt are four; one whose line breaks each time, while the hub answers questions, has two minutes.
pub const MAX_UPLOAD_STEPS: u32 = 6;

/// How often one upload may begin anew, its bytes forgotten by the hub, before it has to wait: a hub that was set back
/// forgets it once, one that forgets it each time would be sent the same bytes for ever.
pub const MAX_UPLOADS_ANEW: u32 = 1;

/// An upload that has this much more at the hub than before got on, however often its line was cut: what the worst
/// line carries in some seconds, and too much for a hub that wants to lead a phone on byte by byte.
pub const UPLOAD_GOT_ON_BYTES: u64 = 1_024;

/// Proofs looked at to find the next one to send.
pub const PROOF_WINDOW: u32 = 64;

/// Receipted entries that a fresh process looks at once more: what a hub that was set back to a backup
/// lost is what came last. The answer has about 100 bytes for each.
pub const RECHECK_ENTRIES: i64 = 64;

/// What the kept words of the hub may take for each entry of the log. A courier who is online gets one for each: its own
/// line, and the way to it through a tree of a million entries, which is less than 2 KB.
pub const HUB_WORD_BYTES: usize = 4 * 1_024;
/// And besides, for a phone that had to ask for its whole log anew.
pub const HUB_WORDS_BYTES: usize = 4 * 1_024 * 1_024;

/// Looks through everything that may begin anew, without one that came to its end, before the next one has to wait: a hub
/// that is set back while it is looked at is rare, and one that is so each time leads the phone round.
pub const MAX_LOOKS: u32 = 3;

/// Events kept for one parcel: two dozen visits, each corrected, and what the hub says. About 60 bytes
/// each, in the row that every visit writes.
pub const MAX_PARCEL_EVENTS: usize = 64;

/// A hub's event may be this far ahead of the phone's clock before a step that follows it is refused:
/// small differences of two good clocks, not one that is set wrong.
pub const CLOCK_SLACK_MS: i64 = 5 * 60 * 1_000;

/// Lines of a partial delivery: a delivery note of two pages.
pub const MAX_ITEM_LINES: usize = 50;

/// Longest name of a call, a report or the like that comes from outside.
pub const MAX_ID_CHARS: usize = 64;

/// Longest phone number that is looked at: 15 digits by ITU-T E.164, with room for separators.
pub const MAX_PHONE_CHARS: usize = 32;

/// Longest call that is believed.
pub const MAX_CALL_S: u32 = 24 * 60 * 60;

/// Reports that are listed; older ones are at the hub.
pub const MAX_REPORTS_LISTED: u32 = 100;

/// Temperature readings in one call: 13 bytes each, well below the largest body of an entry.
pub const MAX_SAMPLES_AT_ONCE: usize = 1_000;

/// A day, milliseconds.
pub const DAY_MS: i64 = 24 * 60 * 60 * 1_000;
