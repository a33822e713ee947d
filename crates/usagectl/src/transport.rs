//! Which HTTP library carries a request. Only this file knows their names.

use std::io;

use bytes::Bytes;
use clap::ValueEnum;
use http::header::{ACCEPT, CONTENT_LENGTH, HOST};
use http::{HeaderName, HeaderValue, Request, Response, Uri};
use usage_proto::{Api, Deadlines, TransportError};

use crate::failure::Failure;
use crate::runtime::Runtime;

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum TransportName {
    /// Blocking, for programs that have no async runtime
    #[default]
    Ureq,
    /// Async, for programs that have tokio
    Reqwest,
    /// Async, for programs that have tokio and hyper
    Hyper,
}

/// A client, ready to send. It blocks, and goes on using its connection from call to call, from
/// whatever thread they come.
pub(crate) enum Transport {
    Ureq(usage_ureq::Client),
    Reqwest(usage_reqwest::Client, Runtime),
    Hyper(Box<usage_hyper::Client>, Runtime),
}

/// As a rule because the process may not have more files open.
#[derive(Debug, thiserror::Error)]
#[error("the runtime that {library} needs did not start")]
struct NoRuntime {
    library: &'static str,
    source: io::Error,
}

impl TransportName {
    /// Makes the client. It opens no connection yet.
    pub(crate) fn client(self, api: Api, deadlines: Deadlines) -> Result<Transport, Failure> {
        Ok(match self {
            Self::Ureq => {
                let client = usage_ureq::Client::configured(api, deadlines, |builder| builder);
                Transport::Ureq(client.map_err(Failure::client)?)
            }
            Self::Reqwest => {
                let client = usage_reqwest::Client::configured(api, deadlines, |builder| builder);
                Transport::Reqwest(client.map_err(Failure::client)?, self.runtime()?)
            }
            Self::Hyper => {
                let client =
                    usage_hyper::Client::configured(api, deadlines, usage_hyper::Config::new());
                Transport::Hyper(client.map_err(Failure::client)?.into(), self.runtime()?)
            }
        })
    }

    fn runtime(self) -> Result<Runtime, TransportError> {
        Runtime::new().map_err(|source| {
            TransportError::other(NoRuntime { library: self.name(), source }).not_sent()
        })
    }

    /// The headers in the order in which the library writes them, with those that it adds.
    pub(crate) fn headers(self, request: &Request<Bytes>) -> Vec<(HeaderName, HeaderValue)> {
        let length = (CONTENT_LENGTH, HeaderValue::from(request.body().len()));
        let host = host(request.uri()).map(|host| (HOST, host));
        let given = request.headers().iter().map(|(name, value)| (name.clone(), value.clone()));
        match self {
            // `usage-ureq` puts secrets in front, and ureq its own headers before the rest.
            Self::Ureq => {
                let (secret, rest): (Vec<_>, Vec<_>) =
                    given.partition(|(_, value)| value.is_sensitive());
                secret.into_iter().chain([length]).chain(host).chain(rest).collect()
            }
            Self::Reqwest => {
                let accept = (ACCEPT, HeaderValue::from_static("*/*"));
                given.chain([accept]).chain(host).chain([length]).collect()
            }
            Self::Hyper => given.chain(host).chain([length]).collect(),
        }
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Ureq => "ureq",
            Self::Reqwest => "reqwest",
            Self::Hyper => "hyper",
        }
    }
}

impl Transport {
    /// Sends a request and waits for the answer, whatever its status.
    pub(crate) fn execute(
        &self,
        request: Request<Bytes>,
    ) -> Result<Response<Bytes>, TransportError> {
        match self {
            Self::Ureq(client) => client.execute(request),
            Self::Reqwest(client, runtime) => runtime.block_on(client.execute(request)),
            Self::Hyper(client, runtime) => runtime.block_on(client.execute(request)),
        }
    }
}

/// The host, and the port unless it is the scheme's own.
fn host(uri: &Uri) -> Option<HeaderValue> {
    let host = uri.host()?;
    let default = if uri.scheme_str() == Some("https") { 443 } else { 80 };
    let text = match uri.port_u16() {
        Some(port) if port != default => format!("{host}:{port}"),
        _ => host.to_owned(),
    };
    HeaderValue::from_str(&text).ok()
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
    use std::net::{SocketAddr, TcpListener, TcpStream};
    use std::sync::mpsc;
    use std::thread;
    use std::time::Duration;

    use bytes::Bytes;
    use clap::ValueEnum as _;
    use http::Request;
    use usage_proto::{Api, Deadlines, Usage};

    use super::{Transport, TransportName};

    const PATIENCE: Duration = Duration::from_secs(20);
    const CALLS: usize = 50;

    /// A client over each library, and a request for it.
    fn each(check: impl Fn(TcpListener, Transport, Request<Bytes>)) {
        for name in TransportName::value_variants() {
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            let api = Api::new(url(listener.local_addr().unwrap()).parse().unwrap());
            let request = api.build_request(&Usage::new("influxdb")).unwrap();
            let client = name.client(api, Deadlines::new().total(PATIENCE)).unwrap();
            check(listener, client, request);
        }
    }

    fn url(address: SocketAddr) -> String {
        format!("http://{address}")
    }

    fn accept(listener: &TcpListener) -> BufReader<TcpStream> {
        let (stream, _) = listener.accept().unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        BufReader::new(stream)
    }

    /// Reads one request, and answers it.
    fn answer(stream: &mut BufReader<TcpStream>) {
        let mut length = 0;
        for line in stream.by_ref().lines().map(Result::unwrap).take_while(|line| !line.is_empty())
        {
            if let Some(value) = line.strip_prefix("content-length: ") {
                length = value.parse().unwrap();
            }
        }
        stream.read_exact(&mut vec![0; length]).unwrap();
        stream.get_mut().write_all(b"HTTP/1.1 201 Created\r\ncontent-length: 0\r\n\r\n").unwrap();
    }

    /// As a schedule in a thread of its own uses it. The runtime rests between the calls.
    #[test]
    fn a_thread_makes_many_calls_over_one_connection() {
        each(|listener, client, request| {
            let server = thread::spawn(move || {
                let mut stream = accept(&listener);
                (0..CALLS).for_each(|_| answer(&mut stream));
                listener
            });
            let execute = move |request| client.execute(request);
            let (called, calls) = mpsc::channel();
            let client = thread::spawn(move || {
                for _ in 0..CALLS {
                    called.send(execute(request.clone()).unwrap().status()).unwrap();
                }
            });
            for _ in 0..CALLS {
                assert_eq!(calls.recv_timeout(PATIENCE).unwrap(), 201);
            }
            client.join().unwrap();
            // Another connection would wait here.
            let listener = server.join().unwrap();
            listener.set_nonblocking(true).unwrap();
            assert_eq!(listener.accept().unwrap_err().kind(), ErrorKind::WouldBlock);
        });
    }

    /// While the runtime rests nobody looks after an idle connection.
    #[test]
    fn a_connection_that_has_closed_between_calls_loses_no_report() {
        each(|listener, client, request| {
            let (closed, close) = mpsc::channel();
            let server = thread::spawn(move || {
                for _ in 0..3 {
                    answer(&mut accept(&listener));
                    closed.send(()).unwrap();
                }
            });
            for _ in 0..3 {
                assert_eq!(client.execute(request.clone()).unwrap().status(), 201);
                close.recv_timeout(PATIENCE).unwrap();
            }
            server.join().unwrap();
        });
    }
}
