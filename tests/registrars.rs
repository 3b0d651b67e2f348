//! A month of tills in compressed time: drivers that do, request for request, what the vendor's does (CLIENTS.md), with a folder of
//! files as their disk, against the policy that answers them.

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;
use std::sync::Arc;

use susv::http::forwarded::Way;
use susv::problem::Language;
use susv::registrars::{
    Check, Download, DownloadStart, FIRST_NUMBER, LAST_NUMBER, OfferedHere, Registrars, Standing, State, Told,
};

const MINUTE: u32 = 60;
const HOUR: u32 = 3600;
const DAY: u32 = 24 * HOUR;
const OLD: u32 = 20_171_219;
const VERSION: u32 = 20_260_301;
const SIZE: u64 = 491_520;

/// Numbers that look random and are the same in each run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, from: u32, to: u32) -> u32 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        from + ((self.0 >> 33) % u64::from(to - from)) as u32
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Generation {
    /// Any exception ends the thread.
    ThreadEnds,
    /// Any exception, and it asks again without a pause.
    AsksAgain,
}

/// When things happen at a till; times of the day in seconds.
#[derive(Clone, Copy, Debug)]
struct Habits {
    generation: Generation,
    period: u32,
    /// How long a check takes.
    latency: u32,
    /// How long a download takes.
    loading: u32,
    /// Opening and closing of the shift; `None`: closed all the time.
    shift: Option<(u32, u32)>,
    /// The PC is switched on so long before opening, and off so long after closing; `None`: it always runs.
    nights: Option<(u32, u32)>,
    /// The program is restarted so long after closing.
    restart_after_closing: Option<u32>,
    /// While the shift is open, the program is restarted so often; 0 for never.
    restart_each: u32,
    /// The program is restarted after a flash.
    restart_after_flash: bool,
    /// Each so-manieth download is cut; 0 for none, 1 for all.
    cut_each: u32,
}

const PLAIN: Habits = Habits {
    generation: Generation::ThreadEnds,
    period: 10 * MINUTE,
    latency: 0,
    loading: 50,
    shift: None,
    nights: None,
    restart_after_closing: None,
    restart_each: 0,
    restart_after_flash: false,
    cut_each: 0,
};

impl Habits {
    fn is_open(&self, now: u32) -> bool {
        self.shift.is_some_and(|(open, close)| (open..close).contains(&(now % DAY)))
    }

    /// When its PC is switched on and off.
    fn on_and_off(&self) -> Option<(u32, u32)> {
        let (open, close) = self.shift.unwrap_or((9 * HOUR, 21 * HOUR));
        self.nights.map(|(before, after)| (open - before, close + after))
    }

    fn is_on(&self, now: u32) -> bool {
        self.on_and_off().is_none_or(|(on, off)| (on..off).contains(&(now % DAY)))
    }

    fn restart_at(&self) -> Option<u32> {
        let (_, close) = self.shift?;
        Some((close + self.restart_after_closing?) % DAY)
    }

    /// The next time that its PC or program is switched.
    fn next_change(&self, now: u32) -> u32 {
        let (on, off) = self.on_and_off().unzip();
        let times = [on, off, self.restart_at()].into_iter().flatten();
        let today = now - now % DAY;
        let each = now.checked_div(self.restart_each).map_or(u32::MAX, |count| (count + 1) * self.restart_each);
        times.map(|time| today + time + if time <= now % DAY { DAY } else { 0 }).min().unwrap_or(u32::MAX).min(each)
    }
}

/// What a file on a PC's disk holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Content {
    /// A whole image, by the number of its bytes.
    Whole(u32),
    /// A part of one.
    Stump,
}

type Disk = HashMap<u32, Content>;

struct Loading {
    number: u32,
    image: u32,
    ends_at: u32,
    is_cut: bool,
    download: Download,
}

/// A driver's thread.
#[derive(Default)]
struct Driver {
    /// What it read when it was started.
    build_date: u32,
    wakes_at: u32,
    /// `updateAvailable`, with the folder of the file, and the image that was current when it was offered.
    pending: Option<(u32, u32)>,
    loading: Option<Loading>,
    is_dead: bool,
}

struct Till {
    address: IpAddr,
    pc: usize,
    habits: Habits,
    /// The date in the registrar itself.
    build_date: u32,
    driver: Option<Driver>,
    downloads: Vec<u32>,
    flashes: Vec<(u32, Content)>,
    checks: u32,
}

/// A shop and its server.
struct World {
    registrars: Arc<Registrars>,
    server_started: u32,
    hold_repeats: bool,
    published_at: u32,
    /// The bytes that are published, and the date inside them.
    image: u32,
    image_date: u32,
    disks: BTreeMap<usize, Disk>,
    tills: Vec<Till>,
    numbers: Vec<u32>,
    /// How many of them are of earlier runs of the gateway.
    numbers_before: usize,
    /// Until then the gateway has no power.
    dark_until: u32,
    now: u32,
}

impl World {
    fn new(published_at: u32) -> World {
        World {
            registrars: Arc::default(),
            server_started: 0,
            hold_repeats: true,
            published_at,
            image: 1,
            image_date: VERSION,
            disks: BTreeMap::new(),
            tills: Vec::new(),
            numbers: Vec::new(),
            numbers_before: 0,
            dark_until: 0,
            now: 0,
        }
    }

    fn add(&mut self, address: u8, pc: usize, build_date: u32, starts_at: u32, habits: Habits) -> &mut World {
        let driver = Driver { build_date, wakes_at: starts_at, ..Driver::default() };
        self.tills.push(Till {
            address: IpAddr::from([10, 0, 0, address]),
            pc,
            habits,
            build_date,
            driver: Some(driver),
            downloads: Vec::new(),
            flashes: Vec::new(),
            checks: 0,
        });
        self
    }

    fn uptime(&self) -> u32 {
        self.now.saturating_sub(self.server_started)
    }

    /// The gateway loses its power for some time.
    fn cut_power(&mut self, seconds: u32) {
        self.dark_until = self.now + seconds;
        for till in &mut self.tills {
            let loading = till.driver.as_mut().and_then(|driver| driver.loading.as_mut());
            if let Some(loading) = loading {
                (loading.is_cut, loading.ends_at) = (true, self.now);
            }
        }
        self.registrars = Arc::default();
        self.numbers_before = self.numbers.len();
        self.server_started = self.dark_until;
    }

    /// Lives until `end`, second by second where anything happens.
    fn run_until(&mut self, end: u32) {
        while self.now < end {
            let mut next = end;
            for index in 0..self.tills.len() {
                next = next.min(self.step(index));
            }
            self.now = next.max(self.now + 1);
        }
    }

    /// Lets one till do what is due. Returns when to look again.
    fn step(&mut self, index: usize) -> u32 {
        let (now, uptime) = (self.now, self.uptime());
        let till = &mut self.tills[index];
        let habits = till.habits;
        let mut next = habits.next_change(now);
        if !habits.is_on(now) {
            till.driver = None;
            return next;
        }
        let is_restart = habits.restart_each > 0 && habits.is_open(now) && now.is_multiple_of(habits.restart_each);
        let restarts = is_restart || habits.restart_at().is_some_and(|time| now % DAY == time);
        if till.driver.is_none() || restarts {
            till.driver = Some(Driver { build_date: till.build_date, wakes_at: now, ..Driver::default() });
        }
        let Some(driver) = till.driver.as_mut().filter(|driver| !driver.is_dead) else { return next };
        if let Some(loading) = &driver.loading {
            if loading.ends_at > now {
                return next.min(loading.ends_at);
            }
            let Loading { number, image, is_cut, mut download, .. } = driver.loading.take().expect("looked at");
            if is_cut {
                download.note_position(u64::from(now) * 7919 % SIZE, uptime);
                drop(download);
                driver.is_dead = habits.generation == Generation::ThreadEnds;
                driver.wakes_at = now;
                return now + 1;
            }
            download.complete(uptime);
            self.disks.entry(till.pc).or_default().insert(number, Content::Whole(image));
            driver.pending = Some((number, image));
            driver.wakes_at = now;
        }
        if driver.wakes_at > now {
            return next.min(driver.wakes_at);
        }
        driver.wakes_at = now + habits.period + habits.latency;
        if driver.pending.is_none() {
            self.ask(index);
        }
        let till = &mut self.tills[index];
        let Some(driver) = till.driver.as_mut() else { return next };
        if let Some(loading) = &driver.loading {
            return next.min(loading.ends_at);
        }
        if let Some((number, image)) = driver.pending
            && !habits.is_open(now)
        {
            let content = self.disks[&till.pc][&number];
            assert_eq!(content, Content::Whole(image), "never flashed but whole and current: {habits:?}");
            till.flashes.push((now, content));
            driver.pending = None;
            if matches!(content, Content::Whole(_)) {
                till.build_date = self.image_date;
            }
            // The flash itself, and the tables that are written back.
            driver.wakes_at += 90;
            if habits.restart_after_flash {
                *driver = Driver { build_date: till.build_date, wakes_at: now + 120, ..Driver::default() };
            }
        }
        next = next.min(driver.wakes_at);
        next
    }

    fn ask(&mut self, index: usize) {
        let (now, uptime) = (self.now, self.uptime());
        let till = &mut self.tills[index];
        let Some(driver) = till.driver.as_mut() else { return };
        if now < self.dark_until {
            driver.is_dead = till.habits.generation == Generation::ThreadEnds;
            // Without a pause: it hammers until the gateway answers again.
            driver.wakes_at = self.dark_until;
            return;
        }
        till.checks += 1;
        let is_newer = now >= self.published_at && driver.build_date < VERSION;
        let check = Check {
            caller: till.address,
            is_java: true,
            has_field: true,
            way: Way::Known,
            build_date: driver.build_date,
            chosen: is_newer.then_some(VERSION),
            hold_repeats: self.hold_repeats,
        };
        let Told::Offer { number } = self.registrars.check(&check, uptime).told else { return };
        assert!((FIRST_NUMBER..=LAST_NUMBER).contains(&number));
        let disk = self.disks.entry(till.pc).or_default();
        if self.numbers[..self.numbers_before].contains(&number) {
            // Two runs draw the same number once in a thousand million pairs, and these worlds have many a million of them.
            disk.remove(&number);
        } else {
            self.numbers.push(number);
        }
        // A file that is there is taken for the image.
        if disk.contains_key(&number) {
            driver.pending = Some((number, self.image));
            return;
        }
        disk.insert(number, Content::Stump);
        till.downloads.push(now);
        let offered_here = Some(OfferedHere { caller: till.address, build_date: driver.build_date, version: VERSION });
        let start =
            DownloadStart { caller: till.address, is_java: true, offered_here, version: Some(VERSION), start: 0, size: SIZE };
        let download = self.registrars.begin_download(&start, uptime);
        let is_cut = till.habits.cut_each > 0 && (till.downloads.len() as u32).is_multiple_of(till.habits.cut_each);
        let loading = if is_cut { till.habits.loading / 3 } else { till.habits.loading };
        driver.loading = Some(Loading { number, image: self.image, ends_at: now + loading, is_cut, download });
    }

    /// Whatever else happens, no number is used twice. (What is flashed is looked at when it is.)
    fn check_numbers(&self) {
        let mut numbers = self.numbers.clone();
        numbers.sort_unstable();
        numbers.dedup();
        assert_eq!(numbers.len(), self.numbers.len(), "a number was used twice");
    }

    fn first_flash(&self, till: usize) -> u32 {
        self.tills[till].flashes.first().map_or(u32::MAX, |(at, _)| *at)
    }
}

/// Shops with habits of all kinds.
fn many(seed: u64, worlds: u32, mut test: impl FnMut(&mut Dice)) {
    let mut dice = Dice(seed);
    for _ in 0..worlds {
        test(&mut dice);
    }
}

fn some_period(dice: &mut Dice) -> u32 {
    [5, 6, 10, 15][dice.roll(0, 4) as usize] * MINUTE
}

/// A long day in a shop, and any second of it.
fn some_shift(dice: &mut Dice) -> (u32, u32) {
    let open = dice.roll(7 * HOUR, 10 * HOUR);
    (open, open + dice.roll(9 * HOUR, 14 * HOUR))
}

#[test]
fn never_restarted_is_flashed_once_in_12_hours_and_at_most_7_times_in_a_month() {
    let mut most = 0;
    many(1, 120, |dice| {
        let generation = [Generation::ThreadEnds, Generation::AsksAgain][dice.roll(0, 2) as usize];
        let habits = Habits {
            generation,
            period: dice.roll(1, 16) * MINUTE,
            latency: dice.roll(0, 3),
            loading: dice.roll(1, 90),
            ..PLAIN
        };
        let published_at = dice.roll(0, 2) * dice.roll(0, 3 * DAY);
        let mut world = World::new(published_at);
        world.add(1, 0, OLD, dice.roll(0, HOUR), habits).run_until(published_at + 30 * DAY);
        world.check_numbers();
        let till = &world.tills[0];
        let first = world.first_flash(0);
        let early = till.flashes.iter().filter(|(at, _)| *at < first + 12 * HOUR).count();
        most = most.max(till.flashes.len());
        assert!(early == 1 && till.flashes.len() <= 7, "{habits:?} {:?}", till.flashes);
        assert!(till.checks > 2000, "it goes on checking");
    });
    println!("never restarted: at most {most} flashes in a month");
}

#[test]
fn restarted_after_the_flash_is_never_flashed_again() {
    many(2, 120, |dice| {
        let habits = Habits { period: some_period(dice), restart_after_flash: true, ..PLAIN };
        let mut world = World::new(dice.roll(0, 2 * DAY));
        world.add(1, 0, OLD, 5, habits).run_until(30 * DAY);
        world.check_numbers();
        assert_eq!(world.tills[0].flashes.len(), 1);
    });
}

#[test]
fn a_pc_that_is_off_at_night_is_flashed_by_the_next_opening() {
    let (mut worst_known, mut worst_fresh) = (0, 0);
    many(3, 120, |dice| {
        let shift @ (open, _) = some_shift(dice);
        let habits = Habits {
            period: some_period(dice),
            shift: Some(shift),
            // Off before the driver looks again whether the shift is closed, or after it.
            nights: Some((dice.roll(3 * MINUTE, HOUR), dice.roll(30, 30 * MINUTE))),
            ..PLAIN
        };
        let is_known = dice.roll(0, 2) == 1;
        let published_at = if is_known { 3 * DAY } else { 0 } + dice.roll(0, DAY);
        let mut world = World::new(published_at);
        world.server_started = 0;
        if !is_known {
            world.now = published_at;
            world.server_started = published_at;
        }
        world.add(1, 0, OLD, 0, habits).run_until(published_at + 20 * DAY);
        world.check_numbers();
        // The first opening that its PC is switched on for after that.
        let (on, _) = habits.on_and_off().expect("nights");
        let next_opening = published_at / DAY * DAY + open + if published_at % DAY <= on { 0 } else { DAY };
        let flashed = world.first_flash(0);
        let late = flashed.saturating_sub(next_opening);
        if is_known {
            worst_known = worst_known.max(late);
            assert!(flashed <= next_opening, "{habits:?} published {published_at} flashed {flashed}");
        } else {
            worst_fresh = worst_fresh.max(late);
            assert!(flashed <= next_opening + DAY, "{habits:?} published {published_at} flashed {flashed}");
        }
        assert_eq!(world.tills[0].flashes.len(), 1, "{is_known} {habits:?} {:?}", world.tills[0].flashes);
    });
    println!("PC off at night: known for a day, at most {worst_known} s after the next opening; just met, {worst_fresh} s");
}

#[test]
fn a_program_restarted_after_each_closing_is_flashed_within_two_days() {
    let mut worst = 0;
    many(4, 120, |dice| {
        let habits = Habits {
            period: some_period(dice),
            shift: Some(some_shift(dice)),
            restart_after_closing: Some(dice.roll(0, 20 * MINUTE)),
            ..PLAIN
        };
        let published_at = dice.roll(0, 4 * DAY);
        let mut world = World::new(published_at);
        if dice.roll(0, 2) == 1 {
            (world.now, world.server_started) = (published_at, published_at);
        }
        world.add(1, 0, OLD, 0, habits).run_until(published_at + 20 * DAY);
        world.check_numbers();
        let flashed = world.first_flash(0);
        worst = worst.max(flashed - published_at);
        assert!(flashed - published_at <= 2 * DAY, "{habits:?} published {published_at} flashed {flashed}");
        assert_eq!(world.tills[0].flashes.len(), 1, "{habits:?} {:?}", world.tills[0].flashes);
    });
    println!("program restarted after each closing: at most {:.1} h", f64::from(worst) / 3600.0);
}

#[test]
fn a_program_that_is_restarted_all_day_long_is_flashed_within_two_days() {
    let mut worst = 0;
    many(12, 60, |dice| {
        let habits = Habits {
            period: some_period(dice),
            shift: Some(some_shift(dice)),
            nights: Some((dice.roll(3 * MINUTE, HOUR), dice.roll(30, 30 * MINUTE))),
            restart_each: dice.roll(MINUTE, 2 * HOUR),
            ..PLAIN
        };
        let published_at = dice.roll(0, 4 * DAY);
        let mut world = World::new(published_at);
        world.add(1, 0, OLD, 0, habits).run_until(published_at + 10 * DAY);
        world.check_numbers();
        worst = worst.max(world.first_flash(0) - published_at);
        assert!(worst <= 2 * DAY && world.tills[0].flashes.len() == 1, "{habits:?} {:?}", world.tills[0].flashes);
    });
    println!("program restarted all day long: at most {:.1} h", f64::from(worst) / 3600.0);
}

#[test]
fn a_pc_that_always_runs_is_flashed_when_its_shift_closes_and_not_again_that_night() {
    let mut most = 0;
    many(5, 120, |dice| {
        let habits = Habits { period: some_period(dice), shift: Some(some_shift(dice)), ..PLAIN };
        let published_at = 2 * DAY + dice.roll(0, DAY);
        let mut world = World::new(published_at);
        world.add(1, 0, OLD, 0, habits).run_until(published_at + 30 * DAY);
        world.check_numbers();
        let flashes = &world.tills[0].flashes;
        let first = world.first_flash(0);
        most = most.max(flashes.len());
        assert!(
            flashes.iter().filter(|(at, _)| *at < first + 12 * HOUR).count() == 1 && flashes.len() <= 7,
            "{habits:?} {flashes:?}"
        );
    });
    println!("always running, with shifts: at most {most} flashes in a month");
}

/// Flashes of each till within a day, and when the last till had its first.
fn several(
    tills: usize,
    is_one_pc: bool,
    has_one_date: bool,
    habits: Habits,
    dice: &mut Dice,
    is_known: bool,
) -> (Vec<usize>, u32) {
    let published_at = if is_known { 2 * DAY } else { 0 } + dice.roll(0, DAY);
    let mut world = World::new(published_at);
    if !is_known {
        (world.now, world.server_started) = (published_at, published_at);
    }
    // The later one may be the older one or the newer one.
    let step = dice.roll(0, 2) * 2;
    for till in 0..tills {
        let date = if has_one_date { OLD } else { OLD + till as u32 * step - till as u32 };
        // On one PC one program starts them one after another.
        let start = if is_one_pc { till as u32 * dice.roll(1, 20) } else { dice.roll(0, habits.period) };
        world.add(1, if is_one_pc { 0 } else { till }, date, world.now + start, habits);
    }
    world.run_until(published_at + 4 * DAY);
    world.check_numbers();
    let last = (0..tills).map(|till| world.first_flash(till)).max().unwrap_or(u32::MAX);
    let counts = world.tills.iter().map(|till| till.flashes.iter().filter(|(at, _)| *at < published_at + DAY).count());
    (counts.collect(), last.saturating_sub(published_at))
}

#[test]
fn two_tills_on_one_pc_are_flashed_once_each_within_a_day() {
    let mut worst = [0, 0];
    many(6, 120, |dice| {
        let has_one_date = dice.roll(0, 2) == 1;
        let nights = dice.roll(0, 2) == 1;
        let habits = Habits {
            period: some_period(dice),
            loading: dice.roll(1, 60),
            latency: dice.roll(0, 2),
            shift: nights.then(|| some_shift(dice)),
            nights: nights.then(|| (dice.roll(10 * MINUTE, HOUR), dice.roll(5 * MINUTE, 30 * MINUTE))),
            ..PLAIN
        };
        let is_known = dice.roll(0, 3) > 0;
        let (counts, last) = several(2, true, has_one_date, habits, dice, is_known);
        worst[usize::from(is_known)] = worst[usize::from(is_known)].max(last);
        assert!(last <= if is_known { DAY } else { 2 * DAY }, "{has_one_date} {habits:?} {counts:?} {last}");
        assert!(counts.iter().all(|count| *count <= 1), "{is_known} {has_one_date} {habits:?} {counts:?} {last}");
    });
    let [fresh, known] = worst.map(|seconds| f64::from(seconds) / 3600.0);
    println!("two on one PC: known for a day, at most {known:.1} h; just met, {fresh:.1} h");
}

#[test]
fn ten_tills_behind_one_address_are_flashed_within_a_day() {
    let (mut worst, mut most) = (0, 0);
    many(7, 40, |dice| {
        let nights = dice.roll(0, 2) == 1;
        let habits = Habits {
            period: some_period(dice),
            loading: dice.roll(1, 60),
            shift: nights.then(|| some_shift(dice)),
            nights: nights.then(|| (dice.roll(20 * MINUTE, HOUR), dice.roll(20 * MINUTE, 30 * MINUTE))),
            ..PLAIN
        };
        let (counts, last) = several(10, false, true, habits, dice, true);
        (worst, most) = (worst.max(last), most.max(counts.iter().copied().max().unwrap_or(0)));
        assert!(last <= DAY, "{habits:?} {counts:?} {last}");
    });
    println!("ten behind one address: at most {:.1} h, {most} flashes on the first day", f64::from(worst) / 3600.0);
}

#[test]
fn two_tills_behind_one_address_are_flashed_within_three_days() {
    let (mut worst, mut most, mut once, mut known) = (0, 0, 0, 0);
    many(8, 120, |dice| {
        let habits = Habits { period: some_period(dice), loading: dice.roll(1, 60), shift: None, ..PLAIN };
        let is_known = dice.roll(0, 2) == 1;
        let (counts, last) = several(2, false, true, habits, dice, is_known);
        (worst, most) = (worst.max(last), most.max(counts.iter().copied().max().unwrap_or(0)));
        assert!(last <= 3 * DAY, "{is_known} {habits:?} {counts:?} {last}");
        once += u32::from(is_known && counts == [1, 1]);
        known += u32::from(is_known);
    });
    // Not where their checks lie just half a period apart, as those of one till would.
    assert!(once * 20 >= known * 19, "{once} of {known}");
    println!(
        "two behind one address, both known: {once} of {known} flashed once each; all: at most {:.1} h, {most} flashes on the first day",
        f64::from(worst) / 3600.0
    );
}

#[test]
fn a_power_cut_of_the_gateway_costs_one_repeated_flash_at_most() {
    let mut most = 0;
    many(9, 120, |dice| {
        let generation = [Generation::ThreadEnds, Generation::AsksAgain][dice.roll(0, 2) as usize];
        // Those whose thread ends of it come back when their program is started again.
        let is_daily = generation == Generation::ThreadEnds || dice.roll(0, 2) == 1;
        let habits = Habits {
            generation,
            period: some_period(dice),
            loading: dice.roll(1, 90),
            shift: Some(some_shift(dice)),
            restart_after_closing: is_daily.then(|| dice.roll(0, 20 * MINUTE)),
            ..PLAIN
        };
        let published_at = 2 * DAY + dice.roll(0, DAY);
        let mut world = World::new(published_at);
        world.add(1, 0, OLD, 0, habits);
        let cuts = dice.roll(1, 4);
        for _ in 0..cuts {
            let at = published_at.max(world.now) + dice.roll(0, 2 * DAY);
            world.run_until(at);
            world.cut_power(dice.roll(0, 20 * MINUTE));
        }
        world.run_until(world.now + 3 * DAY);
        world.check_numbers();
        let flashes = world.tills[0].flashes.len();
        most = most.max(flashes);
        // One more for each cut. Who is never restarted is begun with anew: two in two days, three in three.
        let allowed = if is_daily { 1 + cuts } else { 3 + 2 * cuts } as usize;
        assert!((1..=allowed).contains(&flashes), "{cuts} cuts, {habits:?} {:?}", world.tills[0].flashes);
    });
    println!("the gateway's power cut up to 3 times: at most {most} flashes");
}

#[test]
fn cuts_at_any_byte_night_after_night_never_flash_a_stump() {
    many(10, 120, |dice| {
        let generation = [Generation::ThreadEnds, Generation::AsksAgain][dice.roll(0, 2) as usize];
        let habits = Habits {
            generation,
            period: some_period(dice),
            cut_each: dice.roll(1, 4),
            shift: Some(some_shift(dice)),
            nights: Some((dice.roll(10 * MINUTE, HOUR), dice.roll(30, 30 * MINUTE))),
            ..PLAIN
        };
        let published_at = dice.roll(0, 3 * DAY);
        let mut world = World::new(published_at);
        // A stump of earlier days under the version's own name; and a second till of either date on the PC.
        world.disks.entry(0).or_default().insert(VERSION, Content::Stump);
        let other = OLD + 1 - dice.roll(0, 3);
        world.add(1, 0, OLD, 0, habits).add(1, 0, other, dice.roll(0, 20), habits);
        for image in 2..6 {
            world.run_until(published_at.max(world.now) + dice.roll(0, 3 * DAY));
            // Other bytes under the same number, and now and then a power cut with it.
            world.image = image;
            if dice.roll(0, 2) == 1 {
                world.cut_power(0);
            }
        }
        world.run_until(published_at + 14 * DAY);
        world.check_numbers();
        let is_cut_always = habits.cut_each == 1;
        assert_eq!(world.tills.iter().all(|till| till.flashes.is_empty()), is_cut_always, "{habits:?}");
    });
}

#[test]
fn the_old_generation_on_a_link_that_always_cuts_loads_at_most_every_10_minutes() {
    many(11, 120, |dice| {
        let period = dice.roll(1, 16) * MINUTE;
        let habits = Habits { generation: Generation::AsksAgain, period, loading: dice.roll(3, 90), cut_each: 1, ..PLAIN };
        let mut world = World::new(0);
        world.add(1, 0, OLD, 0, habits).run_until(3 * DAY);
        let downloads = &world.tills[0].downloads;
        assert!(
            downloads.len() > 100 && downloads.is_sorted_by(|one, next| one + 10 * MINUTE <= *next),
            "{habits:?} {downloads:?}"
        );
        assert!(world.tills[0].checks < 3 * DAY / MINUTE + downloads.len() as u32 + 2, "it does not hammer");
    });
}

#[test]
fn a_folder_later_than_its_firmware_is_flashed_once_and_the_problem_names_the_right_folder() {
    let mut world = World::new(DAY);
    world.image_date = 20_260_227;
    let habits = Habits { restart_after_flash: true, ..PLAIN };
    world.add(1, 0, OLD, 0, habits).run_until(30 * DAY);
    assert_eq!(world.tills[0].flashes.len(), 1);
    let finding = |world: &World| {
        let snapshot = world.registrars.snapshot(world.now, |_, build_date| Standing {
            version: (build_date < VERSION).then_some(VERSION),
            is_critical: false,
        });
        assert_eq!(snapshot.registrars[0].state, State::Mislabelled);
        let finding = snapshot.findings[0].clone();
        (finding.problem.explain(Language::English), finding.problem.explain(Language::Russian), finding.is_urgent)
    };
    let (english, russian, is_urgent) = finding(&world);
    assert!(english.starts_with("10.0.0.1 took 20260301 and came back built 27.02.2026"), "{english}");
    assert!(
        english.ends_with("rename the folder to 20260227") && russian.ends_with("переименуйте папку в 20260227"),
        "{russian}"
    );
    assert!(!is_urgent, "one address may be two tills");
    // A second one shows it too: certain enough.
    world.add(2, 1, OLD, 30 * DAY, habits).run_until(60 * DAY);
    assert_eq!(world.tills.iter().map(|till| till.flashes.len()).collect::<Vec<_>>(), [1, 1]);
    assert!(finding(&world).2);
    // A third one shows that the folder is named rightly after all: all are offered it again.
    world.image_date = VERSION;
    world.add(3, 2, OLD, 60 * DAY, habits).run_until(62 * DAY);
    let flashes: Vec<_> = world.tills.iter().map(|till| till.flashes.len()).collect();
    assert_eq!(flashes, [2, 2, 1], "and have it now");
}

#[test]
fn without_the_setting_it_is_flashed_at_every_poll_but_never_with_a_stump() {
    let mut world = World::new(0);
    world.hold_repeats = false;
    world.add(1, 0, OLD, 0, Habits { cut_each: 3, generation: Generation::AsksAgain, ..PLAIN }).run_until(12 * HOUR);
    world.check_numbers();
    assert!(world.tills[0].flashes.len() > 40, "{}", world.tills[0].flashes.len());
}

#[test]
fn a_wrong_label_is_told_once_however_many_dates_somebody_tries() {
    let (registrars, caller) = (Arc::new(Registrars::default()), IpAddr::from([10, 0, 0, 1]));
    let mut told = Vec::new();
    for is_driver in [false, true] {
        let mut check = |build_date, now| {
            let way = Way::Known;
            let chosen = Some(VERSION);
            let (is_java, has_field, hold_repeats) = (is_driver, is_driver, true);
            let check = Check { caller, is_java, has_field, way, build_date, chosen, hold_repeats };
            told.extend(registrars.check(&check, now).news.map(|problem| problem.code()));
        };
        check(OLD, 0);
        let version = Some(VERSION);
        let start = DownloadStart { caller, is_java: is_driver, offered_here: None, version, start: 0, size: SIZE };
        registrars.begin_download(&start, 0).complete(1);
        for second in 2..50 {
            check(OLD + 100 * second, 2 * second);
            check(OLD, 2 * second + 1);
        }
    }
    assert_eq!(told, ["FOLDER-NAMED-TOO-LATE", "FOLDER-NAMED-TOO-LATE", "ANOTHER-TILL"]);
}

#[test]
fn a_check_changes_something_if_it_is_new_or_told_another_thing() {
    let registrars = Arc::new(Registrars::default());
    // Last part of the address, build date, what is chosen for it, whether it is the driver's; what happened before.
    let cases = [
        ("new", 1, OLD, Some(VERSION), true, true),
        ("the same again", 1, OLD, Some(VERSION), true, false),
        ("somebody else there, told the same", 1, OLD, Some(VERSION), false, false),
        ("another address", 2, OLD, Some(VERSION), true, true),
        ("another date", 1, VERSION, None, true, true),
        ("the same again", 1, VERSION, None, true, false),
        ("the first date again", 1, OLD, Some(VERSION), true, false),
        ("another version", 1, OLD, Some(VERSION + 1), true, true),
        ("no version any more", 1, OLD, None, true, true),
        ("the version again", 1, OLD, Some(VERSION + 1), true, true),
        ("taken", 1, OLD, Some(VERSION + 1), true, true),
        ("taken, and told so", 1, OLD, Some(VERSION + 1), true, false),
    ];
    for (number, (name, last, build_date, chosen, is_driver, expected)) in cases.into_iter().enumerate() {
        let (caller, now) = (IpAddr::from([10, 0, 0, last]), 600 * number as u32);
        if name == "taken" {
            let version = Some(VERSION + 1);
            let start = DownloadStart { caller, is_java: true, offered_here: None, version, start: 0, size: SIZE };
            registrars.begin_download(&start, now - 60).complete(now - 50);
        }
        let (is_java, has_field, way, hold_repeats) = (is_driver, is_driver, Way::Known, true);
        let check = Check { caller, is_java, has_field, way, build_date, chosen, hold_repeats };
        assert_eq!(registrars.check(&check, now).is_change, expected, "{number}: {name}");
    }
}

#[test]
fn thirty_tills_behind_one_address_are_flashed_within_three_days() {
    let (mut dice, mut world) = (Dice(10), World::new(2 * DAY));
    for till in 0..30 {
        let start = dice.roll(0, 10 * MINUTE);
        world.add(1, till, OLD, start, Habits { loading: 20, restart_after_flash: true, ..PLAIN });
    }
    world.run_until(5 * DAY);
    let flashes: Vec<_> = world.tills.iter().map(|till| till.flashes.len()).collect();
    assert!(flashes.iter().all(|count| *count == 1), "{flashes:?}");
}
