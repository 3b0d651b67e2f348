//! Every limit and time-out of the server, each with its reason. What happens past each is in the README.

use std::time::Duration;

// --- HTTP: what one request may hold -------------------------------------------------------------

/// Request line and header fields together. Registrars send 350 bytes; proxies add cookies and tracing.
pub const HEAD_BYTES: usize = 16 * 1024;
/// Header fields in one request. Browsers send 20.
pub const HEAD_FIELDS: usize = 100;
/// Request target. The longest real one is a firmware path; PATH_MAX is 4,096 too.
pub const TARGET_BYTES: usize = 4 * 1024;
/// Request body after removal of chunking. A check is 28 bytes, a licence request 30.
pub const BODY_BYTES: usize = 64 * 1024;
/// Chunked coding around the body (sizes, extensions, trailers): what an attacker may make us skip.
pub const CHUNK_OVERHEAD_BYTES: usize = 16 * 1024;
/// Nesting of JSON arrays and objects: the parser recurses, and threads have small stacks.
pub const JSON_DEPTH: usize = 32;
/// Bytes of a client's value repeated in an error answer or a log line.
pub const QUOTED_BYTES: usize = 64;

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
/// A send without any progress for so long is given up. A slow PPP link that moves is never cut.
pub const STALL_TIME: Duration = Duration::from_secs(30);
/// How often a blocked send looks up: whether it moved, and whether it must give way.
pub const SEND_TICK: Duration = Duration::from_millis(250);
/// After an error answer we read and drop what the client still sends, so that it gets to read the answer (RFC 9112 §9.6):
/// until it is silent for so long …
pub const LINGER_SILENCE: Duration = Duration::from_secs(2);
/// … or this has passed …
pub const LINGER_TIME: Duration = Duration::from_secs(30);
/// … or so much was dropped. A connection that lingers is the first to give way.
pub const LINGER_BYTES: usize = 128 * 1024 * 1024;
/// Answers and downloads under way at a stop are given so long to finish.
pub const STOP_TIME: Duration = Duration::from_secs(30);

/// At a stop a connection without a request yet is given so long to send it: its caller could not know.
pub const NEWCOMER_TIME: Duration = Duration::from_secs(1);

// --- Server: threads, sockets, memory -----------------------------------------------------------

/// Callers that wait in the kernel for a free connection. std's own is 128: too few for a shop's morning.
pub const BACKLOG: i32 = 1024;
/// A connection is not made to give way before it has been in its phase for so long: a caller on a slow link gets its chance.
pub const EVICTION_GRACE: Duration = Duration::from_millis(150);
/// A body at least this large is a download: it needs one of the places for downloads. A smaller one fits the kernel's buffers.
pub const DOWNLOAD_BYTES: u64 = 64 * 1024;
/// Downloads that wait for one of those places, without a thread, like callers in the backlog.
pub const WAITING_DOWNLOADS: usize = 1024;
/// A download gives way to one that waits when it moved less than `SLOW_BYTES` over this time.
pub const SLOW_TIME: Duration = Duration::from_secs(10);
/// 256 B/s: forty times slower than a serial line.
pub const SLOW_BYTES: u64 = 2560;
/// Stack of a connection's thread. Measured need: below 24 KiB, JSON of full depth included.
pub const THREAD_STACK: usize = 96 * 1024;
/// A thread that waited so long for a connection looks whether it is still needed, and whether the server stops.
pub const ACCEPT_TICK: Duration = Duration::from_secs(1);
/// Threads kept waiting for connections; more end after `ACCEPT_TICK`.
pub const SPARE_THREADS: usize = 2;
/// After an accept that failed for want of descriptors or memory.
pub const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// First size of a connection's read buffer; a registrar's request fits.
pub const READ_BUFFER: usize = 2 * 1024;
/// A file from disk is sent in pieces of this size.
pub const FILE_PIECE: usize = 64 * 1024;

// --- Files ---------------------------------------------------------------------------------------

/// The configuration: ours is 5 KB with all its comments.
pub const CONFIG_BYTES: u64 = 64 * 1024;
/// A kernel's name or release for `/version`.
pub const KERNEL_NAME_BYTES: u64 = 1024;
/// `SHA256SUMS` of one folder.
pub const SUMS_BYTES: u64 = 64 * 1024;
/// Date-named folders looked at for `latest`.
pub const VERSION_FOLDERS: usize = 1024;
/// Licence files in one folder.
pub const LICENSE_FILES: usize = 4096;
/// Licences in all: 16 bytes each.
pub const LICENSES: usize = 4_000_000;
/// Problems reported one by one for each licence file; further ones are counted.
pub const PROBLEMS_PER_FILE: usize = 20;

/// A licence whose line is not in its place is looked for again after this pause …
pub const LICENSE_PAUSE: Duration = Duration::from_millis(300);
/// … for at most so long, while its files change.
pub const LICENSE_PATIENCE: Duration = Duration::from_secs(5);
/// How often files are compared with what was loaded. A change is taken when two looks in a row agree.
pub const WATCH_TIME: Duration = Duration::from_secs(2);

// --- Status page ---------------------------------------------------------------------------------

/// Registrars remembered by address, 64 bytes each; the one seen longest ago is forgotten first.
pub const REGISTRARS: usize = 1024;
/// The page asks browsers to load it again after so many seconds.
pub const PAGE_REFRESH_SECONDS: u32 = 30;

// --- Access and repetition -----------------------------------------------------------------------

/// Address blocks in `allow`.
pub const ALLOWED_BLOCKS: usize = 256;
/// Lines of one kind about one address (an IPv6 network of 64 bits) that are written in `REPEAT_TIME`; further ones are counted.
pub const REPEATS_LOGGED: u32 = 10;
/// Lines about all addresses together that are written in `REPEAT_TIME`: 200 KB, a sixth of what the log files hold by default,
/// if somebody has hundreds of addresses; one a minute for each of a thousand tills.
pub const REPEATS_LOGGED_IN_ALL: u32 = 1000;
/// The time they are counted over.
pub const REPEAT_TIME: Duration = Duration::from_secs(60);
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
