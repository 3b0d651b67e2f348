//! Sockets: which ones are listened on, what a connection's end and its small packets look like, and signals that must not kill.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixListener;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::common::download::{Download, Ending, GET, start, start_inherited};
use crate::common::{Client, Folder, Server, check_request, free_port, plain_folder, susv};

const SETTINGS: &str = "current_firmware_version = 20260301\n";

fn start_with(settings: &str, command: Command, input: impl Into<Stdio>) -> Server {
    Server::start_with_input(plain_folder(), &format!("{SETTINGS}{settings}"), command, input)
}

#[test]
fn two_pipelined_checks_wait_for_no_acknowledgement() {
    let server = start("");
    // Some come before there is a server.
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("its address");
    let early: Vec<_> = (0..21).map(|_| Client::connect(address)).collect();
    let _inherited = start_inherited(&listener);
    let later = (0..21).map(|_| server.connect()).collect();
    for (name, clients) in [("its own socket", later), ("a passed one", early)] {
        let mut times: Vec<_> = clients.into_iter().map(time_two_checks).collect();
        times.sort_unstable();
        assert!(times[10] < Duration::from_millis(20), "{name}: {times:?}");
    }
}

fn time_two_checks(mut client: Client) -> Duration {
    // The first round trips are acknowledged at once; later ones only after 40 ms.
    for _ in 0..20 {
        client.send(check_request());
        client.read_answer(false);
    }
    let begun = Instant::now();
    client.send(check_request().repeat(2));
    client.read_answer(false);
    client.read_answer(false);
    begun.elapsed()
}

#[test]
fn allow_reaches_connections_that_are_open() {
    let server = start("");
    let mut client = server.connect();
    client.send(check_request());
    assert_eq!(client.read_answer(false).status, 200);
    let mut on_its_way = Download::begin_handed_over(&server);
    server.folder.write("config.ini", format!("address = 127.0.0.1\nport = 0\n{SETTINGS}allow = 10.0.0.0/8\n"));
    server.wait_for_line("event=reloaded");
    client.send(check_request());
    assert!(client.try_answer(false).is_none(), "a check is not answered any more");
    // Its next request comes while the kernel still has much of the answer to the one before.
    on_its_way.stream.write_all(GET.as_bytes()).expect("a request");
    std::thread::sleep(Duration::from_millis(300));
    assert_eq!(on_its_way.finish(), Ending::Whole, "what has begun is finished");
    assert_eq!(on_its_way.read_to_end(), Ending::Closed(on_its_way.received.len()), "and nothing else begins");
}

#[test]
fn allow_reaches_downloads_that_wait() {
    let server = start("max_connections = 1\n");
    let mut first = Download::begin_endless(&server);
    let mut waits = Download::ask(server.address);
    std::thread::sleep(Duration::from_millis(200));
    server
        .folder
        .write("config.ini", format!("address = 127.0.0.1\nport = 0\nmax_connections = 1\n{SETTINGS}allow = 10.0.0.0/8\n"));
    server.wait_for_line("event=reloaded");
    assert_eq!(first.finish(), Ending::Other(200), "what has begun is finished");
    let ending = waits.read_to_end();
    assert!(matches!(ending, Ending::Closed(0) | Ending::Reset(0)), "{ending:?}");
}

#[test]
fn a_unix_socket_as_descriptor_0_is_not_taken_for_ours() {
    let folder = Folder::new();
    let socket = UnixListener::bind(folder.path().join("socket")).expect("a socket");
    let server = start_with("address = 127.0.0.1\nport = 0\n", susv(), Stdio::from(OwnedFd::from(socket)));
    assert!(!server.wait_for_line("event=listening").contains("inherited"));
    assert_eq!(server.ask(check_request()).status, 200);
}

#[test]
fn a_listener_as_descriptor_0_is_taken_although_it_does_not_block() {
    let socket = TcpListener::bind("127.0.0.1:0").expect("a port");
    socket.set_nonblocking(true).expect("no waiting");
    let server = start_with("", susv(), Stdio::from(OwnedFd::from(socket)));
    assert!(server.wait_for_line("event=listening").contains("socket=inherited"));
    assert_eq!(server.ask(check_request()).status, 200);
}

#[test]
fn a_listener_that_its_owner_shuts_down_costs_no_cpu_and_does_not_keep_from_a_stop() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let mut server = start_inherited(&listener);
    assert_eq!(server.ask(check_request()).status, 200);
    TcpStream::from(OwnedFd::from(listener)).shutdown(Shutdown::Both).expect("an end");
    server.wait_for_line("event=accept_failed");
    let before = server.cpu_ticks();
    std::thread::sleep(Duration::from_secs(1));
    let ticks = server.cpu_ticks() - before;
    assert!(ticks < 20, "{ticks} ticks in a second");
    let lines = server.lines().iter().filter(|line| line.contains("accept_failed")).count();
    assert!(lines <= 10, "{lines}");
    server.signal(15);
    assert_eq!(server.wait().code(), Some(0));
}

#[test]
fn both_families_and_repeated_addresses_are_served() {
    for addresses in ["0.0.0.0, ::", "::, 0.0.0.0", "127.0.0.1, 127.0.0.1", "127.0.0.1, 127.0.0.2, 127.0.0.1"] {
        let server = start_with(&format!("address = {addresses}\nport = {}\n", free_port()), susv(), Stdio::null());
        assert_eq!(server.ask(check_request()).status, 200, "{addresses}");
    }
}

#[test]
fn one_missing_address_of_several_does_not_keep_the_others_from_being_served() {
    // A block for documentation: no machine has it.
    let server = start_with(&format!("address = 192.0.2.77, 127.0.0.1\nport = {}\n", free_port()), susv(), Stdio::null());
    let line = server.wait_for_line("event=address_missing");
    assert!(line.contains("192.0.2.77"), "{line}");
    let mut client = Client::connect(([127, 0, 0, 1], server.address.port()).into());
    client.send(check_request());
    assert_eq!(client.read_answer(false).status, 200);
}

#[test]
fn ipv4_callers_are_served_where_ipv6_sockets_are_ipv6_only() {
    // In a network of its own, which root may make: the setting is the whole machine's.
    let mut command = Command::new("unshare");
    let script = "ip link set lo up && echo 1 > /proc/sys/net/ipv6/bindv6only || exit 77; exec \"$0\" \"$@\"";
    command.args(["-n", "sh", "-c", script]);
    let can = command.arg("true").output().is_ok_and(|output| output.status.success());
    if !can || std::env::var_os("SUSV_RUNNER").is_some() {
        println!("skipped: no network of one's own here (root, unshare, ip)");
        return;
    }
    let program = susv();
    let mut command = Command::new("unshare");
    command.args(["-n", "sh", "-c", script]).arg(program.get_program());
    let server = start_with(&format!("port = {}\n", free_port()), command, Stdio::null());
    let port = server.address.port();
    let request = check_request().replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n");
    for host in ["127.0.0.1", "::1"] {
        let script = format!("exec 3<>/dev/tcp/{host}/{port} && printf %s \"$REQUEST\" >&3 && head -c 15 <&3");
        let mut inside = Command::new("nsenter");
        inside.arg(format!("--net=/proc/{}/ns/net", server.id())).args(["bash", "-c", &script]).env("REQUEST", &request);
        let output = inside.output().expect("a client");
        assert_eq!(String::from_utf8_lossy(&output.stdout), "HTTP/1.1 200 OK", "{host}: {output:?}");
    }
}

#[test]
fn signals_that_would_only_kill_do_nothing() {
    let mut server = start("");
    for number in [libc_number("XFSZ"), libc_number("USR1"), libc_number("USR2"), libc_number("ALRM"), libc_number("PIPE")] {
        server.signal(number);
        assert_eq!(server.ask(check_request()).status, 200);
        assert!(!server.has_ended(), "signal {number}");
    }
}

/// A signal's number on this machine, as the shell knows it.
fn libc_number(name: &str) -> i32 {
    let output = Command::new("bash").args(["-c", &format!("kill -l {name}")]).output().expect("bash");
    String::from_utf8_lossy(&output.stdout).trim().parse().expect("a number")
}

#[test]
fn a_limit_on_file_sizes_stops_the_log_and_not_the_server() {
    let program = susv();
    let mut command = Command::new("bash");
    // One block of 1,024 bytes.
    command.args(["-c", "ulimit -f 1; exec \"$0\" \"$@\""]).arg(program.get_program()).args(program.get_args());
    let mut server = start_with("address = 127.0.0.1\nport = 0\nlog_file = susv.log\n", command, Stdio::null());
    for _ in 0..100 {
        assert_eq!(server.ask(check_request()).status, 200);
    }
    std::thread::sleep(Duration::from_millis(300));
    assert!(!server.has_ended());
    assert_eq!(server.ask(check_request()).status, 200);
}

#[test]
fn an_idle_connection_costs_at_most_15_kb() {
    // What counts is the program that is shipped: `dist/susv-x86_64`, by SUSV_BIN.
    let program = susv();
    let bytes = std::fs::read(program.get_program()).expect("the program");
    let is_static = !bytes.windows(9).any(|window| window == b"ld-linux-" || window == b"/ld-musl-");
    if !is_static || std::env::var_os("SUSV_RUNNER").is_some() {
        println!("skipped: not a static program");
        return;
    }
    let server = start("");
    assert_eq!(server.ask(check_request()).status, 200);
    let before = pss_kb(&server);
    let mut clients: Vec<_> = (0..200).map(|_| server.connect()).collect();
    for client in &mut clients {
        client.send(check_request());
        assert_eq!(client.read_answer(false).status, 200);
    }
    let after = pss_kb(&server);
    println!("{} bytes a connection", (after - before) * 1024 / 200);
    assert!(after - before <= 15 * 200, "{before} KB before, {after} KB after");
}

fn pss_kb(server: &Server) -> u64 {
    let text = std::fs::read_to_string(format!("/proc/{}/smaps_rollup", server.id())).expect("its memory");
    let line = text.lines().find(|line| line.starts_with("Pss:")).expect("PSS");
    line.split_whitespace().nth(1).expect("a number").parse().expect("a number")
}

#[test]
fn a_refused_head_has_no_body_and_the_next_answer_follows() {
    let server = start("");
    let mut client = server.connect();
    client.send("HEAD /nothing HTTP/1.1\r\nHost: x\r\n\r\n".to_owned() + GET);
    assert_eq!(client.read_answer(true).status, 404);
    assert_eq!(client.read_answer(false).body.len(), crate::common::IMAGE_BYTES);
    let _ = client.stream.set_read_timeout(Some(Duration::from_millis(1)));
    assert!(client.stream.read(&mut [0]).is_err(), "nothing more");
}
