//! A TCP server on loopback that does to each connection what a script says, however wrong it is.
//!
//! A [`Script`] is a list of steps. What no list can say is done by a closure over a
//! [`Connection`]: see [`ScriptedServer::run`].
//!
//! ```
//! use std::io::{Read, Write};
//! use std::net::TcpStream;
//!
//! use testkit::scripted::{Script, ScriptedServer};
//!
//! let server = ScriptedServer::start([Script::new().read_request().send("HTTP/1.1 503 ")]);
//! let mut stream = TcpStream::connect(server.address())?;
//! stream.write_all(b"POST /x HTTP/1.1\r\nContent-Length: 2\r\n\r\nhi")?;
//! let mut answer = String::new();
//! stream.read_to_string(&mut answer)?;
//! assert_eq!(answer, "HTTP/1.1 503 ");
//! assert_eq!(server.finish()[0].body, b"hi");
//! # Ok::<(), std::io::Error>(())
//! ```

mod connection;
mod nobody;
mod script;
mod server;

use std::time::Duration;

pub use connection::{Connection, Received, Socket};
pub use nobody::{Nobody, no_such_host};
pub use script::Script;
pub use server::ScriptedServer;

/// No read or write of a script takes longer, and no test waits longer for what should come: a test
/// that goes wrong ends.
pub const PATIENCE: Duration = Duration::from_secs(20);
