//! A TCP server that reads one request, and answers with the bytes that it was given.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc;
use std::thread::{self, JoinHandle};

use crate::usagectl::PATIENCE;

pub(crate) struct Scripted {
    address: SocketAddr,
    thread: JoinHandle<Vec<u8>>,
    /// Dropped to let the connection close.
    hold: Option<mpsc::Sender<()>>,
}

impl Scripted {
    /// Answers, and closes the connection.
    pub(crate) fn answers(answer: impl Into<Vec<u8>>) -> Self {
        let mut server = Self::holds(answer);
        server.hold = None;
        server
    }

    /// Answers, and keeps the connection open until [`received`](Self::received).
    pub(crate) fn holds(answer: impl Into<Vec<u8>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let answer = answer.into();
        let (hold, released) = mpsc::channel();
        let thread = thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            stream.set_read_timeout(Some(PATIENCE)).unwrap();
            let request = read_request(&mut stream);
            // The client may have seen enough before everything is written.
            let _ = stream.write_all(&answer);
            let _ = released.recv_timeout(PATIENCE);
            request
        });
        Self { address, thread, hold: Some(hold) }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Every byte of the request.
    pub(crate) fn received(self) -> Vec<u8> {
        drop(self.hold);
        // If nobody has come, nobody is waited for: this connection says nothing and ends.
        drop(TcpStream::connect(self.address));
        self.thread.join().unwrap()
    }
}

fn read_request(stream: &mut TcpStream) -> Vec<u8> {
    let mut request = Vec::new();
    let mut buffer = [0; 4096];
    while !is_whole(&request) {
        let read = stream.read(&mut buffer).unwrap();
        assert_ne!(read, 0, "the request broke off: {}", String::from_utf8_lossy(&request));
        request.extend_from_slice(&buffer[..read]);
    }
    request
}

fn is_whole(request: &[u8]) -> bool {
    let Some(end) = request.windows(4).position(|bytes| bytes == b"\r\n\r\n") else {
        return false;
    };
    let head = String::from_utf8_lossy(&request[..end]).to_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
    request.len() - end - 4 >= length.parse::<usize>().unwrap()
}
