//! The floor: a thread per connection that receives a request and sends fixed bytes. It understands nothing; whatever a server
//! does beyond this is the price of being one.

use std::io::{IoSlice, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;

const SMALL: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 246\r\n\r\n";
const LARGE: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 491520\r\n\r\n";

/// Serves for good. Threads wait in `accept` and are reused, as susv's are: making one for each connection costs three times as
/// much and would flatter us.
pub fn serve(port: u16) -> ! {
    let listener = TcpListener::bind(("127.0.0.1", port)).expect("a port");
    let image: &[u8] = vec![7; 491_520].leak();
    thread::scope(|scope| {
        for _ in 0..300 {
            thread::Builder::new()
                .stack_size(64 * 1024)
                .spawn_scoped(scope, || {
                    loop {
                        if let Ok((stream, _)) = listener.accept() {
                            answer(stream, image);
                        }
                    }
                })
                .expect("a thread");
        }
    });
    std::process::exit(1)
}

fn answer(mut stream: TcpStream, image: &[u8]) {
    let mut request = [0; 2048];
    while let Ok(count) = stream.read(&mut request) {
        if count == 0 {
            return;
        }
        let is_image = request.starts_with(b"GET");
        let (head, body) = if is_image { (LARGE, image) } else { (SMALL, &image[..246]) };
        let Ok(mut sent) = stream.write_vectored(&[IoSlice::new(head), IoSlice::new(body)]) else { return };
        sent = sent.saturating_sub(head.len());
        if sent < body.len() && stream.write_all(&body[sent..]).is_err() {
            return;
        }
    }
}
