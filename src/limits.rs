//! Every limit and time-out of the server, each with its reason. What happens past each is in docs/reference.md.

use std::time::Duration;

// --- HTTP: what one request may hold -------------------------------------------------------------

/// Request line and header fields together. Registrars send 350 bytes; proxies add cookies and tracing.
pub const HEAD_BYTES: usize = 16 * 1024;
/// Header fields in one request. Browsers send 20.
pub const HEAD_FIELDS: usize = 100;
/// Request target. RFC 9112 §3 wants 8,000 octets supported; the longest real one is a firmware path.
pub const TARGET_BYTES: usize = 8 * 1024;
/// Request body after removal of chunking. A check is 28 bytes, a licence request 30; every connection may hold so much.
pub const BODY_BYTES: usize = 16 * 1024;
/// Chunked coding around the body (sizes, extensions, trailers): what an attacker may make us skip.
pub const CHUNK_OVERHEAD_BYTES: usize = 16 * 1024;
/// Nesting of JSON arrays and objects: the parser recurses, and threads have small stacks.
pub const JSON_DEPTH: usize = 32;
/// Bytes of a client's value repeated in an error answer or a log line.
pub const QUOTED_BYTES: usize = 64;
/// Bytes of a path of the settings repeated in a message.
pub const QUOTED_PATH_BYTES: usize = 256;

// --- Connections: how long a phase may last -----------------------------------------------------

/// The whole request head, from its first byte. A serial line at 10 KB/s needs 0.1 s.
pub const HEAD_TIME: Duration = Duration::from_secs(10);
/// The whole request body, from the end of the head.
pub const BODY_TIME: Duration = Duration::from_secs(10);
/// Idle between two requests.
pub const IDLE_TIME: Duration = Duration::from_secs(20);
/// What `Keep-Alive` announces: less than `IDLE_TIME`, so that clients let go first and never send into a closing connection.
pub const ANNOUNCED_IDLE_SECONDS: u32 = 15;
/// Idle time above three quarters of `max_connections`.
pub const PRESSED_IDLE_TIME: Duration = Duration::from_secs(1);
/// A download of which nothing arrives for so long is given up. After a short outage TCP's own back-off on a slow link is longer than
/// half a minute, and a reset that is sent into a dead link is never repeated.
pub const STALL_TIME: Duration = Duration::from_secs(15 * 60);
/// A page, or another answer that is not a file, must be taken within this …
pub const ANSWER_TIME: Duration = Duration::from_secs(30);
/// … and a second more for each of so many bytes: whoever takes one more slowly would keep others from theirs, since only `PAGES`
/// are written at a time. A serial line takes 10 KB/s.
pub const ANSWER_BYTES_PER_SECOND: usize = 8 * 1024;
/// How often a send looks up, blocked or not: whether it moved, and whether it must give way.
pub const SEND_TICK: Duration = Duration::from_millis(250);
/// How often is looked whether a download's last byte is acknowledged, once all of it is with the kernel.
pub const ACKNOWLEDGEMENT_TICK: Duration = Duration::from_millis(100);
/// After an answer to a request that was not read whole we read and drop what the client still sends, so that it gets to read the
/// answer (RFC 9112 §9.6): until it is silent for so long …
pub const LINGER_SILENCE: Duration = Duration::from_secs(2);
/// … or this has passed …
pub const LINGER_TIME: Duration = Duration::from_secs(30);
/// … or so much was dropped. A connection that lingers is the first to give way.
pub const LINGER_BYTES: usize = 128 * 1024 * 1024;

// --- Admission: who is let in, and who gives way --------------------------------------------------

/// Places that downloads and the disk leave to checks, however few connections are allowed.
pub const PLACES_FOR_CHECKS: usize = 8;
/// Downloads that wait for a permit, beside the places; each holds a thread and its request.
pub const WAITING_DOWNLOADS: usize = 256;
/// Descriptors for ourselves: standard streams, the first listening socket, log file, what is being loaded.
pub const OWN_DESCRIPTORS: usize = 16;
/// Descriptors for each further listening socket: its own, and one for each thread that waits there, since the kernel sets the
/// caller's aside before there is one.
pub const DESCRIPTORS_PER_ENTRANCE: usize = 2 + SPARE_THREADS;
/// A connection of the caller that holds most places is not asked to leave before it has been in its phase for so long …
pub const GRACE_FOR_CROWDS: Duration = Duration::from_millis(150);
/// … and anybody else's not before this: a lone caller on a slow link gets its chance.
pub const GRACE_FOR_OTHERS: Duration = Duration::from_secs(1);
/// A newcomer that is next waits so long for a place that becomes free by itself before others are asked to make room …
pub const ADMISSION_PATIENCE: Duration = Duration::from_millis(40);
/// … and for so long after that nobody else does: it is tried anew whether they become free by themselves.
pub const ASKING_TIME: Duration = Duration::from_millis(500);
/// A newcomer at the door looks again so often for somebody who may give way.
pub const ADMISSION_TICK: Duration = Duration::from_millis(20);
/// Who was asked to leave and has not by then is not counted on any more.
pub const ASKED_TIME: Duration = Duration::from_millis(500);
/// Who is asked to leave may send its request, or the rest of it, for so long: it had the grace above, and each newcomer waits for
/// both as often as a place changes hands before its turn …
pub const LEAVING_TIME: Duration = Duration::from_millis(50);
/// … or the next one, after an answer, for so long: it may be on its way …
pub const LEAVING_TIME_BETWEEN: Duration = Duration::from_millis(20);
/// … and is looked for so often.
pub const LEAVING_TICK: Duration = Duration::from_millis(10);
/// A download gives way to one that waits when nothing of it arrived for so long, or too little over so long …
pub const SLOW_TIME: Duration = Duration::from_secs(30);
/// … namely less than this: a fifth of a serial line.
pub const SLOW_BYTES_PER_SECOND: u64 = 2 * 1024;
/// A download that has waited so long comes before those that have not, whoever sends less.
pub const FAIR_AFTER: Duration = Duration::from_secs(10);
/// It is answered 503 after so long: FPUpdater waits 30 s for the first byte (CLIENTS.md).
pub const DOWNLOAD_PATIENCE: Duration = Duration::from_secs(25);
/// How often it looks whether its client has gone, and for a slow download.
pub const WAITING_TICK: Duration = Duration::from_secs(1);
/// A request that needs the disk is answered 503 after so long.
pub const DISK_PATIENCE: Duration = Duration::from_secs(2);
/// Pages for people that are written at a time: that bounds their memory.
pub const PAGES: usize = 8;

// --- Stop -----------------------------------------------------------------------------------------

/// At a stop everything but downloads has so long, and whoever comes meanwhile too.
pub const STOP_GRACE: Duration = Duration::from_secs(1);
/// A download begins only while so much of a stop is left: a serial line needs 50 s for an image.
pub const STOP_DOWNLOAD_TIME: Duration = Duration::from_secs(60);
/// A download of which nothing arrived for so long prolongs nothing.
pub const STOP_PATIENCE: Duration = Duration::from_secs(10);
/// What the end of a stop takes, after the last download.
pub const STOP_CLOSING_TIME: Duration = Duration::from_secs(3);
/// How often a stop looks whether it is over.
pub const STOP_TICK: Duration = Duration::from_millis(10);

// --- Server: threads, sockets, memory -----------------------------------------------------------

/// How often signals are looked for, and whether threads wait for callers.
pub const TICK: Duration = Duration::from_millis(100);
/// Repetitions are reported once in so many ticks.
pub const TICKS_PER_REPORT: u32 = 20;
/// Callers that wait in the kernel for a free connection. std's own is 128: too few for a shop's morning.
pub const BACKLOG: i32 = 1024;
/// Stack of a connection's thread. Measured need: below 24 KiB, JSON of full depth included.
pub const THREAD_STACK: usize = 96 * 1024;
/// Address space (`ulimit -v`) of a connection's thread: its stack, what the C library adds to that (16 to 32 KB), a request of full
/// length in a buffer that has just grown (48 KB), and small things.
pub const SPACE_PER_THREAD: usize = THREAD_STACK + 96 * 1024;
/// Address space for everything else: the program and the C library (5 MB with a PC's), images old and new, what is in reserve.
pub const SPACE_BESIDE_THREADS: usize = 12 * 1024 * 1024;
/// A thread is made only if so much memory is left then: what all threads need for small things.
pub const MEMORY_IN_RESERVE: usize = 1024 * 1024;
/// A thread that waited so long for a connection looks whether it is still needed, and whether the server stops.
pub const ACCEPT_TICK: Duration = Duration::from_millis(250);
/// Threads kept waiting for connections; more end after `ACCEPT_TICK`.
pub const SPARE_THREADS: usize = 2;
/// After an accept that failed for want of descriptors or memory.
pub const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// At the start callers wait in the kernel's queue at most so long for the first look at files: a disk may hang.
pub const FIRST_LOOK_TIME: Duration = Duration::from_millis(2500);
/// The buffer of an answer's head. A body that fits beside it goes with it in one piece: a registrar's does.
pub const ANSWER_BUFFER: usize = 1024;
/// First size of a connection's read buffer; a registrar's request fits.
pub const READ_BUFFER: usize = 2 * 1024;
/// So much of a file is read before its head is sent, so that a disk that fails is an answer and no cut.
pub const FIRST_PIECE: usize = 16 * 1024;
/// A file from disk is sent in pieces of this size.
pub const FILE_PIECE: usize = 64 * 1024;

// --- Files ---------------------------------------------------------------------------------------

/// The configuration: ours is 5 KB with all its comments.
pub const CONFIG_BYTES: u64 = 64 * 1024;
/// A kernel's name or release for `/version`.
pub const KERNEL_NAME_BYTES: u64 = 1024;
/// `/etc/passwd`.
pub const PASSWD_BYTES: u64 = 1024 * 1024;
/// With `-t`: whoever uses our port is given so long to say what it is …
pub const VERSION_TIME: Duration = Duration::from_secs(1);
/// … in so many bytes.
pub const VERSION_BYTES: usize = 4096;
/// `SHA256SUMS` of one folder.
pub const SUMS_BYTES: u64 = 64 * 1024;
/// `offer.ini` of one folder: 4,000 addresses.
pub const OFFER_BYTES: u64 = 64 * 1024;
/// Version folders looked at; the oldest beyond are left out.
pub const VERSION_FOLDERS: usize = 1024;
/// Version folders that cannot be chosen now and are looked at each time; the others have their turn later.
pub const FOLDERS_IN_TURN: usize = 8;
/// Files in a version folder: it has four. All names are looked at each time.
pub const FOLDER_ENTRIES: usize = 1024;
/// Live versions: a check compares its caller with each.
pub const LIVE_VERSIONS: usize = 8;
/// Memory for the images of all live versions, or twice `max_image_kb` if that is more: thirty-two times what real ones need.
pub const LIVE_IMAGE_BYTES: u64 = 32 * 1024 * 1024;
/// Problems of a catalog in all: the page shows each of them, to anyone.
pub const PROBLEMS: usize = 100;
/// Licence files in one folder.
pub const LICENSE_FILES: usize = 4096;
/// Licences in all: 16 bytes each.
pub const LICENSES: usize = 4_000_000;
/// Problems reported one by one for each file; further ones are counted.
pub const PROBLEMS_PER_FILE: usize = 20;

/// Problems of all licence files together: the status page shows them to anyone.
pub const LICENSE_PROBLEMS: usize = 100;
/// A line longer than this is not skipped: the file is no licence file.
pub const LICENSE_LINE_BYTES: u64 = 1024 * 1024;
/// How often files are compared with what was loaded …
pub const WATCH_TIME: Duration = Duration::from_secs(2);
/// … and how often while one of them is unsettled.
pub const UNSETTLED_WATCH_TIME: Duration = Duration::from_millis(500);
/// A source is taken when it has stood still for so long: copies pause while the disk is busy …
pub const SETTLING_TIME: Duration = Duration::from_secs(2);
/// … and a version folder whose `SHA256SUMS` agrees for so long.
pub const VOUCHED_SETTLING_TIME: Duration = Duration::from_millis(500);

// --- Status page ---------------------------------------------------------------------------------

/// Registrars remembered by address; who holds nothing is forgotten first, then the one seen longest ago.
pub const REGISTRARS: usize = 4096;
/// Registrars that a page lists one by one: it is made in memory, and up to `PAGES` of them at a time are.
pub const PAGE_ROWS: usize = 1024;
/// The page asks browsers to load it again after so many seconds.
pub const PAGE_REFRESH_SECONDS: u32 = 30;

// --- Access and repetition -----------------------------------------------------------------------

/// Addresses in `address`: a socket each.
pub const LISTEN_ADDRESSES: usize = 64;
/// Address blocks in `allow` and in `proxies`.
pub const ADDRESS_BLOCKS: usize = 256;
/// Lines of one kind about one address (an IPv6 network of 64 bits) that are written in `REPEAT_TIME`; further ones are counted.
pub const REPEATS_LOGGED: u32 = 10;
/// Lines about all addresses together that are written in `REPEAT_TIME`: 200 KB, a sixth of what the log files hold by default,
/// if somebody has hundreds of addresses; one a minute for each of a thousand tills.
pub const REPEATS_LOGGED_IN_ALL: u32 = 1000;
/// The time they are counted over.
pub const REPEAT_TIME: Duration = Duration::from_secs(60);
/// Lines about checks that change something (a registrar or a build date that is new, another answer than before) of one address
/// that are written in `CHANGE_TIME`; further ones are counted. All tills behind a proxy that is not named have room, and whoever
/// reports one date after the other writes no more than with other lines …
pub const CHANGES_LOGGED: u32 = 60;
/// … and of all addresses: one for each registrar there can be, and some.
pub const CHANGES_LOGGED_IN_ALL: u32 = 5000;
/// The time they are counted over.
pub const CHANGE_TIME: Duration = Duration::from_secs(600);
/// Health checks are told of once in this time: 3 KB a day of each that asks.
pub const COUNT_TIME: Duration = Duration::from_secs(3600);
/// Pairs of kind and address that are counted each by itself; 100 bytes each. All tills of a large site have room.
pub const REPEAT_SOURCES: usize = 1024;
/// Different warnings that are counted each by itself.
pub const REPEAT_WARNINGS: usize = 64;
/// Counts that are told each in a line of its own, most first; the rest is summed.
pub const REPEATS_NAMED: usize = 32;

// --- Log -----------------------------------------------------------------------------------------

/// Lines that wait for a slow output; further ones are dropped and counted.
pub const LOG_LINES: usize = 1024;
/// Lines are gathered for so long and written at once: one wake-up for many requests.
pub const LOG_GATHER: Duration = Duration::from_millis(20);
/// An output that takes nothing at the moment is tried again after this.
pub const LOG_BLOCKED: Duration = Duration::from_millis(100);
/// A log file that cannot be written or rotated is tried again after this.
pub const LOG_RETRY: Duration = Duration::from_secs(2);
/// A disk has room again when so much can be written: the last block of a full one may have room for a line.
pub const LOG_PROBE: usize = 8 * 1024;
/// A write that takes longer is a problem the operator is told of. A worn flash erases for a second or two.
pub const LOG_STUCK: Duration = Duration::from_secs(10);
/// At the end of the program the log is given so long to be written.
pub const LOG_FLUSH: Duration = Duration::from_millis(500);

// --- Registrars: through an update ---------------------------------------------------------------

/// Nobody who took a version checks again sooner than this: a running driver sleeps a whole period, and the shortest is a minute.
pub const EARLIEST_RETURN_SECONDS: u32 = 50;
/// A check that comes so much sooner than a running driver's could is another's, or a restarted driver's.
pub const PERIOD_SLACK_SECONDS: u32 = 10;
/// After a silence of more than this the PC was off, as a rule.
pub const NIGHT_SECONDS: u32 = 4 * 3600;
/// How far the hours at which a PC is switched on may lie apart.
pub const MORNING_SECONDS: u32 = 3 * 3600;
/// A check so soon after the one before is its repetition: Java sends a request again whose answer was lost.
pub const REPETITION_SECONDS: u32 = 2;
/// A driver that took a version is held for so long the first time; doubled each further time …
pub const HOLD_SECONDS: u32 = 12 * 3600;
/// … up to this.
pub const LONGEST_HOLD_SECONDS: u32 = 8 * 86_400;
/// … and not before this, longer than a shift: a running driver that was not heard since may just have flashed.
pub const SHIFT_SECONDS: u32 = 15 * 3600;
/// A driver that is heard while it is held is watched for a day and a bit first: if it is restarted daily, it shows.
pub const WATCHED_SECONDS: u32 = 26 * 3600;
/// After a cut download a driver is told "no update" for so long: the old generation asks again without a pause.
pub const CUT_HOLD_SECONDS: u32 = 600;
/// Build dates remembered for one address.
pub const DATES_PER_ADDRESS: usize = 8;
/// Build dates remembered in all: with `REGISTRARS` addresses at most 2 MB.
pub const DATES: usize = 8192;
/// Addresses forgotten at once when there is no room.
pub const FORGOTTEN_AT_ONCE: usize = 128;
/// Versions known to be labelled rightly.
pub const PROVEN_VERSIONS: usize = 16;
/// A registrar that took a version so long ago and still reports the old date is stuck.
pub const STUCK_SECONDS: u32 = 2 * 86_400;
/// Downloads cut in a row that make it so.
pub const STUCK_CUTS: u8 = 3;
/// After so much silence a registrar that took a version should be looked at.
pub const TAKEN_SILENCE_SECONDS: u32 = 86_400;
/// A registrar not seen for so long is silent.
pub const SILENT_SECONDS: u32 = 2 * 86_400;
/// Callers that are no driver and checked less often are trials.
pub const TRIAL_CHECKS: u32 = 3;
/// A finding about the way of a check passes so long after the last such check.
pub const FINDING_SECONDS: u32 = 86_400;
/// A till that took a version may report a date so much later than the folder's name: vendors' own folders are named days before
/// their firmware was built. Who is further ahead has other firmware than this version's.
pub const OVERTAKEN_DAYS: u64 = 7;
/// Who has an offer's firmware, or something newer, is known when all tills had a day to check since the start.
pub const OVERTAKEN_UPTIME_SECONDS: u32 = 86_400;
/// The log tells of offers that nobody needs once in so many ticks, 10 minutes: nothing is urgent about them.
pub const TICKS_PER_OVERTAKEN: u32 = 6000;
/// Findings about registrars that are listed.
pub const FINDINGS: usize = 64;
