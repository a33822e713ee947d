//! What a command tells while it runs, written by a thread of its own: whoever reads the log decides
//! how long a write takes, and must not decide how long anything else does.

use std::collections::VecDeque;
use std::fmt::{self, Display, Write as _};
use std::fs::File;
use std::io::{self, Write};
use std::panic;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use serde::Serialize;
use tracing_subscriber::fmt::MakeWriter;

use crate::output;

/// How many bytes of lines may wait. What is more than this is counted, and not kept.
const ROOM: usize = 1 << 20;

/// How long the end of a command waits for what it has told to be written, if nobody reads it.
const LAST_WAIT: Duration = Duration::from_secs(1);

/// How long a write that may not wait is left alone.
const PAUSE: Duration = Duration::from_millis(20);

/// There is one standard error, and one command in a process.
static LOG: OnceLock<Log> = OnceLock::new();

/// Whether lines are objects.
static JSON: AtomicBool = AtomicBool::new(false);

/// How a line looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// A sentence, mostly with the time in front.
    Text,
    /// A JSON object with `time`, and with `message` where it is a sentence.
    Json,
}

/// From here on what is told on standard error goes through the thread, panics as well.
pub(crate) fn start() -> io::Result<()> {
    // A handle of its own: a write that waits would keep the lock of the usual one for itself.
    let log = Log::over(Box::new(anstream::AutoStream::auto(standard_error()?)))?;
    if LOG.set(log).is_ok() {
        panic::set_hook(Box::new(|panic| {
            line(&panic.to_string());
            finish();
        }));
    }
    Ok(())
}

/// Tells a line, unless too many wait already. `false` if the thread was not started.
pub(crate) fn line(text: &str) -> bool {
    tell(match form() {
        Form::Text => format!("{text}\n"),
        Form::Json => sentence(text),
    })
}

/// Tells a line with the time in front.
pub(crate) fn line_now(text: &str) {
    display_now(&text);
}

/// The same of what is no text yet: a server has one for each request.
pub(crate) fn display_now(text: &dyn Display) {
    tell(match form() {
        Form::Text => format!("{} {text}\n", now()),
        Form::Json => sentence(&text.to_string()),
    });
}

fn tell(line: String) -> bool {
    let Some(log) = LOG.get() else { return false };
    log.tell(line);
    true
}

/// Tells an object as a line, and adds the time.
pub(crate) fn object_now(object: &impl Serialize) {
    tell(timed(object));
}

/// From here on lines look like this.
pub(crate) fn set_form(form: Form) {
    JSON.store(form == Form::Json, Ordering::Relaxed);
}

pub(crate) fn form() -> Form {
    if JSON.load(Ordering::Relaxed) { Form::Json } else { Form::Text }
}

/// What is told from here on is written to this file. What waits is written there too.
pub(crate) fn turn_to(file: File) {
    if let Some(log) = LOG.get() {
        log.turn_to(Box::new(file));
    }
}

/// A sentence as an object on a line. Colours are for terminals.
fn sentence(text: &str) -> String {
    #[derive(Serialize)]
    struct Sentence {
        message: String,
    }
    timed(&Sentence { message: anstream::adapter::strip_str(text).to_string() })
}

fn timed(object: &impl Serialize) -> String {
    #[derive(Serialize)]
    struct Timed<'a, T> {
        time: String,
        #[serde(flatten)]
        object: &'a T,
    }
    // No key of what is told here is anything but a text, so there is no error.
    let line = output::json_line(&Timed { time: now().to_string(), object }).unwrap_or_default();
    String::from_utf8_lossy(&line).into_owned()
}

/// Waits until everything that was told is written, within bounds.
pub(crate) fn finish() {
    if let Some(log) = LOG.get() {
        log.wait_until_written(LAST_WAIT);
    }
}

/// Where `tracing` writes, a line at a time.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Lines;

impl Write for Lines {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        if let Some(log) = LOG.get() {
            log.tell(String::from_utf8_lossy(line).into_owned());
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Lines {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        *self
    }
}

fn now() -> impl Display {
    humantime::format_rfc3339_millis(SystemTime::now())
}

#[cfg(unix)]
fn standard_error() -> io::Result<File> {
    use std::os::fd::AsFd;

    Ok(io::stderr().as_fd().try_clone_to_owned()?.into())
}

#[cfg(windows)]
fn standard_error() -> io::Result<File> {
    use std::os::windows::io::AsHandle;

    Ok(io::stderr().as_handle().try_clone_to_owned()?.into())
}

/// Lines on their way to the thread.
#[derive(Debug, Clone, Default)]
struct Log(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    waiting: Mutex<Waiting>,
    /// There are lines to write.
    told: Condvar,
    /// There are none, and none is being written.
    written: Condvar,
}

#[derive(Debug, Default)]
struct Waiting {
    lines: VecDeque<String>,
    bytes: usize,
    dropped: u64,
    writing: bool,
    /// Where the next line goes, if that is another place than that of the last one.
    out: Option<Out>,
}

/// Where lines go.
struct Out(Box<dyn Write + Send>);

impl fmt::Debug for Out {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Out")
    }
}

impl Log {
    fn over(out: Box<dyn Write + Send>) -> io::Result<Self> {
        let log = Self::default();
        let of_thread = log.clone();
        thread::Builder::new().name("log".to_owned()).spawn(move || of_thread.write_to(out))?;
        Ok(log)
    }

    fn tell(&self, line: String) {
        let mut waiting = self.waiting();
        if waiting.bytes + line.len() > ROOM {
            waiting.dropped += 1;
            return;
        }
        waiting.bytes += line.len();
        waiting.lines.push_back(line);
        self.0.told.notify_one();
    }

    fn turn_to(&self, out: Box<dyn Write + Send>) {
        self.waiting().out = Some(Out(out));
    }

    fn wait_until_written(&self, at_most: Duration) {
        let deadline = Instant::now() + at_most;
        let mut waiting = self.waiting();
        while waiting.writing || !waiting.lines.is_empty() {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            let (again, _) =
                self.0.written.wait_timeout(waiting, left).unwrap_or_else(PoisonError::into_inner);
            waiting = again;
        }
    }

    /// The life of the thread: it ends with the process.
    fn write_to(&self, mut out: Box<dyn Write + Send>) {
        let mut waiting = self.waiting();
        loop {
            while waiting.lines.is_empty() {
                waiting.writing = false;
                self.0.written.notify_all();
                waiting = self.0.told.wait(waiting).unwrap_or_else(PoisonError::into_inner);
            }
            waiting.writing = true;
            waiting.bytes = 0;
            if let Some(Out(another)) = waiting.out.take() {
                out = another;
            }
            let lines = std::mem::take(&mut waiting.lines);
            let dropped = std::mem::take(&mut waiting.dropped);
            drop(waiting);
            let count = lines.len() as u64;
            let mut text: String = lines.into_iter().collect();
            if dropped > 0 {
                // They came after these lines, and before all others.
                let lines = if dropped == 1 { "line" } else { "lines" };
                // Writing to a String can not fail.
                let told = format!("{dropped} {lines} of this log dropped");
                let _ = match form() {
                    Form::Text => writeln!(text, "{} {told}", now()),
                    Form::Json => write!(text, "{}", sentence(&told)),
                };
            }
            let result = write_all(&mut out, text.as_bytes());
            waiting = self.waiting();
            if result.is_err() {
                // Perhaps it goes better later, and then this is told.
                waiting.dropped += count + dropped;
            }
        }
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.0.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Standard error may be a terminal or a pipe that another process has made non-blocking.
fn write_all(out: &mut impl Write, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        match out.write(bytes) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(written) => bytes = &bytes[written..],
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => thread::sleep(PAUSE),
            Err(error) => return Err(error),
        }
    }
    out.flush()
}

#[cfg(test)]
mod tests {
    use std::io::{self, Write};
    use std::sync::mpsc::{Receiver, Sender, channel};
    use std::time::Duration;

    use super::{Log, ROOM};

    const PATIENCE: Duration = Duration::from_secs(20);

    /// Takes a write when the test says so, and tells what was written.
    struct Gate {
        open: Receiver<io::Result<()>>,
        written: Sender<String>,
    }

    impl Write for Gate {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.open.recv().unwrap()?;
            self.written.send(String::from_utf8(bytes.to_vec()).unwrap()).unwrap();
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn log() -> (Log, Sender<io::Result<()>>, Receiver<String>) {
        let (open, gate) = channel();
        let (written, lines) = channel();
        (Log::over(Box::new(Gate { open: gate, written })).unwrap(), open, lines)
    }

    #[test]
    fn what_nobody_reads_is_dropped_and_counted() {
        let (log, open, written) = log();
        log.tell("first\n".to_owned());
        // Until the thread is in the middle of writing it.
        while !log.waiting().writing {
            std::thread::yield_now();
        }
        let kept = ROOM / 8;
        for number in 0..kept + 3 {
            log.tell(format!("{number:07}\n"));
        }
        log.wait_until_written(Duration::from_millis(10));

        open.send(Ok(())).unwrap();
        assert_eq!(written.recv_timeout(PATIENCE).unwrap(), "first\n");
        open.send(Ok(())).unwrap();
        let rest = written.recv_timeout(PATIENCE).unwrap();
        let lines: Vec<&str> = rest.lines().collect();
        assert_eq!(lines.len(), kept + 1);
        assert!(lines.iter().zip(0..kept).all(|(line, number)| *line == format!("{number:07}")));
        assert!(lines[kept].ends_with("Z 3 lines of this log dropped"), "{}", lines[kept]);

        // It is told once.
        log.tell("last\n".to_owned());
        open.send(Ok(())).unwrap();
        assert_eq!(written.recv_timeout(PATIENCE).unwrap(), "last\n");
        log.wait_until_written(PATIENCE);
        assert!(!log.waiting().writing);
    }

    #[test]
    fn a_write_that_fails_is_counted_and_one_that_may_wait_is_tried_again() {
        let (log, open, written) = log();
        log.tell("lost\n".to_owned());
        open.send(Err(io::ErrorKind::StorageFull.into())).unwrap();
        log.wait_until_written(PATIENCE);
        log.tell("kept\n".to_owned());
        open.send(Err(io::ErrorKind::WouldBlock.into())).unwrap();
        open.send(Ok(())).unwrap();
        let text = written.recv_timeout(PATIENCE).unwrap();
        assert!(
            text.starts_with("kept\n") && text.ends_with("1 line of this log dropped\n"),
            "{text}"
        );
    }
}
