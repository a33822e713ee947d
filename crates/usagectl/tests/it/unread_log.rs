//! A log that nobody reads: a pipe that is full from the start. It stops nothing.

#![cfg(target_os = "linux")]

use std::io::{BufRead, BufReader, PipeReader, PipeWriter, Read, Write, pipe};
use std::net::TcpStream;
use std::thread;
use std::time::{Duration, Instant};

use rustix::pipe::fcntl_setpipe_size;
use rustix::process::{Pid, Signal, kill_process};
use usage_server::{Config, Database, Server};

use crate::reporting::{NUMBERS, command, directory};
use crate::serving::Serving;
use crate::usagectl::{self, PATIENCE};

/// A pipe that takes no byte more.
fn full() -> (PipeReader, PipeWriter) {
    let (reader, mut writer) = pipe().unwrap();
    let size = fcntl_setpipe_size(&writer, 4096).unwrap();
    writer.write_all(&vec![b'.'; size]).unwrap();
    (reader, writer)
}

/// Each line of the log would be written before the answer, if anybody waited for it.
fn ask(stream: &mut BufReader<TcpStream>) {
    stream.get_mut().write_all(b"GET /no-such-route HTTP/1.1\r\nhost: h\r\n\r\n").unwrap();
    let mut length = 0;
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).unwrap();
        match line.trim_end().split_once(": ") {
            None if line == "\r\n" => break,
            Some(("content-length", bytes)) => length = bytes.parse().unwrap(),
            _ => {}
        }
    }
    stream.read_exact(&mut vec![0; length]).unwrap();
}

#[test]
fn a_log_that_nobody_reads_does_not_stop_the_server() {
    let (mut reader, writer) = full();
    let serving = Serving::start_with_log(&[], writer);
    let stream = TcpStream::connect(serving.url.strip_prefix("http://").unwrap()).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut stream = BufReader::new(stream);
    for _ in 0..1000 {
        ask(&mut stream);
    }
    let ran = serving.stop();
    assert_eq!(ran.code, Some(0), "{ran:?}");
    // What was in the pipe before is all that came through.
    let mut log = String::new();
    reader.read_to_string(&mut log).unwrap();
    assert_eq!(log.trim_matches('.'), "");
}

/// Lines that had to wait are there as soon as somebody reads.
#[test]
fn a_log_that_is_read_late_is_all_there() {
    let (reader, writer) = full();
    let serving = Serving::start_with_log(&[], writer);
    let stream = TcpStream::connect(serving.url.strip_prefix("http://").unwrap()).unwrap();
    let mut stream = BufReader::new(stream);
    for _ in 0..100 {
        ask(&mut stream);
    }
    drop(stream);
    let lines = thread::spawn(|| BufReader::new(reader).lines().map_while(Result::ok).count());
    assert_eq!(serving.stop().code, Some(0));
    // Where it stores and for how long, the requests, that it stops and that it has stopped.
    assert_eq!(lines.join().unwrap(), 104);
}

#[test]
fn a_log_that_nobody_reads_does_not_stop_report() {
    let there = Server::bind("127.0.0.1:0", Config::new(Database::temporary())).unwrap();
    let place = directory();
    let (_reader, writer) = full();
    let mut command =
        command(&there.url(), &place.path().join("usage.json"), &["--verbose"], NUMBERS);
    let child = command.stderr(writer).spawn().unwrap();
    let pid = Pid::from_child(&child);
    let begun = Instant::now();
    while there.store().usage().read_all().unwrap().len() < 2 {
        assert!(begun.elapsed() < PATIENCE, "nothing is reported");
        thread::sleep(Duration::from_millis(10));
    }
    kill_process(pid, Signal::TERM).unwrap();
    assert_eq!(usagectl::finish(child).code, Some(0));
}

/// Nobody reads where the server listens, either: the signals were there first.
#[test]
fn an_announcement_that_nobody_reads_does_not_stop_the_signals() {
    for options in [&[][..], &["--json"]] {
        let place = directory();
        let (_reader, writer) = full();
        let mut child = usagectl::command()
            .args(["serve", "--listen", "127.0.0.1:0", "--create-token", "Example Inc."])
            .args(options)
            .current_dir(place.path())
            .stdout(writer)
            .spawn()
            .unwrap();
        let mut log = BufReader::new(child.stderr.take().unwrap()).lines();
        log.find(|line| line.as_ref().unwrap().contains("storing in")).unwrap().unwrap();
        kill_process(Pid::from_child(&child), Signal::TERM).unwrap();
        assert_eq!(usagectl::finish(child).code, Some(0));
        assert!(log.last().unwrap().unwrap().ends_with("stopped"));
    }
}
