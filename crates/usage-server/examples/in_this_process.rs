//! A Usage API in this process, which fails twice and then takes a report.

#![expect(clippy::print_stdout, reason = "an example speaks to its reader")]

use std::error::Error;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use usage_server::{Config, Database, Server};

fn main() -> Result<(), Box<dyn Error>> {
    let server = Server::bind("127.0.0.1:0", Config::new(Database::temporary()))?;
    server.faults().fail(Some("503:2".parse()?));
    for attempt in 1..=3 {
        println!("attempt {attempt}: {}", report(&server)?);
    }
    println!("stored: {} usage report", server.store().usage().read_all()?.len());
    server.shutdown()?;
    Ok(())
}

/// What a product does, in as few lines as there are. Gives the first line of the answer.
fn report(server: &Server) -> Result<String, Box<dyn Error>> {
    let body = r#"[{"tags":{"os":"linux"},"values":{"num_databases":3}}]"#;
    let mut product = TcpStream::connect(server.local_addr())?;
    write!(product, "POST /api/v1/usage/influxdb HTTP/1.1\r\nHost: localhost\r\n")?;
    write!(product, "Content-Type: application/json\r\nConnection: close\r\n")?;
    write!(product, "Content-Length: {}\r\n\r\n{body}", body.len())?;
    let mut answer = String::new();
    product.read_to_string(&mut answer)?;
    Ok(answer.lines().next().unwrap_or_default().to_owned())
}
