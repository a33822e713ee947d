//! The demo as text for a terminal.

use std::io::{self, Write};

use anstyle::Style;
use http::HeaderMap;
use usage_proto::{ResponseError, ResponseErrorKind, Saved};

use super::play::{Exchange, ORGANISATION, Played};
use super::rows;
use crate::output::{BAD, BOLD, DIM, GOOD, OUT};
use crate::wire::Wire;
use crate::{table, text};

/// What a line of a body may be long.
const WIDTH: usize = 74;

pub(super) fn show(played: &Played, program: &str, to: &mut impl Write) -> io::Result<()> {
    writeln!(to, "{BOLD}A Usage API on this machine, and what is said to it{BOLD:#}")?;
    writeln!(to)?;
    writeln!(to, "   listens at  {}, until this command ends", played.url)?;
    writeln!(to, "   stores in   a temporary SQLite file, deleted at the end")?;
    writeln!(to, "   reached by  usage-{}", played.transport.name())?;
    legend(to)?;
    registration(played, to)?;
    for (number, exchange) in (2..).zip(&played.exchanges) {
        heading(to, number, exchange.title, exchange.remark)?;
        request(played, exchange, to)?;
        answer(exchange, to)?;
        result(&exchange.result, to)?;
    }
    heading(to, 2 + played.exchanges.len(), "What the server has stored", "and for whom")?;
    for (index, (title, lines)) in rows::lines(played).iter().enumerate() {
        if index > 0 {
            writeln!(to)?;
        }
        writeln!(to, "   {BOLD}{title}{BOLD:#}")?;
        for (index, line) in lines.iter().enumerate() {
            let style = if index == 0 { DIM } else { Style::new() };
            writeln!(to, "     {style}{}{style:#}", text::clean(line))?;
        }
    }
    next(program, to)
}

fn heading(to: &mut impl Write, number: usize, title: &str, remark: &str) -> io::Result<()> {
    writeln!(to)?;
    writeln!(to)?;
    writeln!(to, "{BOLD}{number}  {title}{BOLD:#} {DIM}({remark}){DIM:#}")?;
    writeln!(to)
}

fn legend(to: &mut impl Write) -> io::Result<()> {
    writeln!(to)?;
    writeln!(to, "   {OUT}>{OUT:#}  a request as it stands on the wire, but for the token")?;
    writeln!(to, "   {GOOD}<{GOOD:#}  the answer")?;
    writeln!(to, "   {GOOD}={GOOD:#}  what the library makes of it")?;
    writeln!(to)?;
    writeln!(to, "   On the wire each body is one line; here it is folded.")
}

fn registration(played: &Played, to: &mut impl Write) -> io::Result<()> {
    heading(to, 1, "A customer registers", "once, in a browser")?;
    writeln!(to, "   The application shows its user this address:")?;
    writeln!(to)?;
    writeln!(to, "   {OUT}{}{OUT:#}", played.registration_url)?;
    writeln!(to)?;
    writeln!(to, "   The browser comes back with a token. For this demo the server has made one")?;
    writeln!(to, "   itself, for the organisation {BOLD}{ORGANISATION:?}{BOLD:#}.")
}

fn request(played: &Played, exchange: &Exchange, to: &mut impl Write) -> io::Result<()> {
    let wire = Wire::new(&exchange.request, played.transport, false);
    let mark = format!("{OUT}>{OUT:#}");
    for (index, line) in wire.head().enumerate() {
        let style = if index == 0 { BOLD } else { DIM };
        writeln!(to, "   {mark} {style}{line}{style:#}")?;
    }
    body(&mark, exchange.request.body(), exchange, to)
}

fn answer(exchange: &Exchange, to: &mut impl Write) -> io::Result<()> {
    let answer = &exchange.answer;
    let colour = if answer.status().is_success() { GOOD } else { BAD };
    let mark = format!("{colour}<{colour:#}");
    writeln!(to)?;
    writeln!(to, "   {mark} {BOLD}{:?} {}{BOLD:#}", answer.version(), answer.status())?;
    for line in header_lines(answer.headers()) {
        writeln!(to, "   {mark} {DIM}{}{DIM:#}", shown(&line, exchange))?;
    }
    body(&mark, answer.body(), exchange, to)
}

fn header_lines(headers: &HeaderMap) -> impl Iterator<Item = String> {
    headers
        .iter()
        .map(|(name, value)| format!("{name}: {}", String::from_utf8_lossy(value.as_bytes())))
}

fn body(mark: &str, body: &[u8], exchange: &Exchange, to: &mut impl Write) -> io::Result<()> {
    if body.is_empty() {
        return Ok(());
    }
    writeln!(to, "   {mark}")?;
    let body = shown(&String::from_utf8_lossy(body), exchange);
    for piece in text::wrap(&body, WIDTH) {
        writeln!(to, "   {mark} {}", piece.trim_end())?;
    }
    Ok(())
}

fn shown(text: &str, exchange: &Exchange) -> String {
    text::clean(&text::redact(text, Some(&exchange.token)))
}

fn result(result: &Result<Saved, ResponseError>, to: &mut impl Write) -> io::Result<()> {
    writeln!(to)?;
    match result {
        Ok(saved) => {
            let status = saved.status().as_u16();
            writeln!(to, "   {GOOD}= saved{GOOD:#}, status {status}")
        }
        Err(error) => refusal(error, to),
    }
}

fn refusal(error: &ResponseError, to: &mut impl Write) -> io::Result<()> {
    let (kind, rows) = match &error.kind {
        ResponseErrorKind::Simple(simple) => {
            ("Simple", vec![("message".to_owned(), simple.message.clone())])
        }
        ResponseErrorKind::Validation(errors) => {
            let row =
                |(field, messages): (&String, &Vec<String>)| (field.clone(), messages.join(" "));
            ("Validation", errors.errors.iter().map(row).collect())
        }
        _ => ("other", vec![("message".to_owned(), error.to_string())]),
    };
    let status = error.status.as_u16();
    let again = if error.is_retryable() { "worth a retry" } else { "no retry would help" };
    writeln!(to, "   {BAD}= typed error: {kind}{BAD:#}, status {status}, {again}")?;
    let lines: Vec<Vec<String>> = rows
        .iter()
        .flat_map(|(name, message)| {
            let message = text::clean(message);
            let pieces = text::wrap(&message, WIDTH - 16).into_iter().map(str::to_owned);
            let names = std::iter::once(text::clean(name)).chain(std::iter::repeat(String::new()));
            names.zip(pieces.collect::<Vec<_>>()).map(|(name, piece)| vec![name, piece])
        })
        .collect();
    for line in table::align(&lines) {
        writeln!(to, "     {line}")?;
    }
    Ok(())
}

fn next(program: &str, to: &mut impl Write) -> io::Result<()> {
    let report = r#"echo '[{"values":{"num_databases":3}}]'"#;
    let commands = [
        (
            "A server that stays, and a token for it",
            format!("{program} serve --create-token '{ORGANISATION}'"),
        ),
        (
            "From another terminal, a report to it",
            format!("{report} | {program} save usage --product influxdb -"),
        ),
        (
            "The same report byte by byte, without sending it",
            format!("{report} | {program} preview usage --product influxdb -"),
        ),
        (
            "A server that fails three times, to try a client",
            format!("{program} serve --fail 503:3 --retry-after 1"),
        ),
        ("All of this for a program", format!("{program} demo --json")),
    ];
    writeln!(to)?;
    writeln!(to)?;
    writeln!(to, "{BOLD}What to try next{BOLD:#}")?;
    for (what, command) in commands {
        writeln!(to)?;
        writeln!(to, "   {what}:")?;
        writeln!(to, "     {OUT}{}{OUT:#}", text::clean(&command))?;
    }
    Ok(())
}
