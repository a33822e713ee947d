//! The demo as text for a terminal.

use std::io::{self, Write};

use anstyle::Style;
use http::HeaderMap;
use usage_proto::{ResponseError, ResponseErrorKind, Saved, Token};

use super::play::{Event, Exchange, ORGANISATION, Question, Tables};
use super::rows;
use crate::cli::LOCAL;
use crate::output::{BAD, BOLD, DIM, GOOD, OUT};
use crate::request_text::RequestText;
use crate::{table, terminal_text};

/// What a line of a body may be long.
const WIDTH: usize = 74;

/// Writes down what happens.
pub(super) struct Show<'a, W> {
    to: W,
    /// The name that this command was called by.
    program: &'a str,
    /// How many headings there have been.
    headings: usize,
}

impl<'a, W: Write> Show<'a, W> {
    pub(super) fn new(to: W, program: &'a str) -> Self {
        Self { to, program, headings: 0 }
    }

    /// Written at once: should the next step fail, this one can be seen.
    pub(super) fn tell(&mut self, event: Event<'_>) -> io::Result<()> {
        match event {
            Event::Listening { url } => self.beginning(url),
            Event::Registration { url } => self.registration(url),
            Event::Asking(question) => self.question(question),
            Event::Answered(exchange) => {
                answer(exchange, &mut self.to)?;
                result(&exchange.result, &mut self.to)
            }
            Event::Stored(tables) => self.tables(tables),
            Event::Stopped => {
                writeln!(self.to)?;
                writeln!(self.to, "   The server has stopped, and its database is deleted.")?;
                next(self.program, &mut self.to)
            }
        }?;
        self.to.flush()
    }

    fn heading(&mut self, title: &str, remark: &str) -> io::Result<()> {
        self.headings += 1;
        let number = self.headings;
        writeln!(self.to)?;
        writeln!(self.to)?;
        writeln!(self.to, "{BOLD}{number}  {title}{BOLD:#} {DIM}({remark}){DIM:#}")?;
        writeln!(self.to)
    }

    fn beginning(&mut self, url: &str) -> io::Result<()> {
        let to = &mut self.to;
        writeln!(to, "{BOLD}A Usage API on this machine, and what is said to it{BOLD:#}")?;
        writeln!(to)?;
        writeln!(to, "   listens at  {url}, for as long as this takes")?;
        writeln!(to, "   stores in   a temporary SQLite file")?;
        writeln!(to, "   reached by  usage-ureq")?;
        writeln!(to)?;
        writeln!(to, "   {OUT}>{OUT:#}  a request as it stands on the wire, but for the token")?;
        writeln!(to, "   {GOOD}<{GOOD:#}  the answer")?;
        writeln!(to, "   {GOOD}={GOOD:#}  what the library makes of it")?;
        writeln!(to)?;
        writeln!(to, "   On the wire each body is one line; here it is folded.")
    }

    fn registration(&mut self, url: &str) -> io::Result<()> {
        self.heading("A customer registers", "once, in a browser")?;
        let to = &mut self.to;
        writeln!(to, "   For the production API an application would show its user this address:")?;
        writeln!(to)?;
        writeln!(to, "   {OUT}{url}{OUT:#}")?;
        writeln!(to)?;
        writeln!(
            to,
            "   The browser would come back to redirect_url with a token. Here nobody opens"
        )?;
        writeln!(
            to,
            "   a browser: the demo's server makes the token itself, for the organisation"
        )?;
        writeln!(to, "   {BOLD}{ORGANISATION:?}{BOLD:#}.")
    }

    fn question(&mut self, question: &Question) -> io::Result<()> {
        self.heading(question.title, question.remark)?;
        let to = &mut self.to;
        let text = RequestText::new(&question.request, false);
        let mark = format!("{OUT}>{OUT:#}");
        for (index, line) in text.head().enumerate() {
            let style = if index == 0 { BOLD } else { DIM };
            writeln!(to, "   {mark} {style}{line}{style:#}")?;
        }
        body(&mark, question.request.body(), &question.token, to)
    }

    fn tables(&mut self, tables: &Tables) -> io::Result<()> {
        self.heading("What the server has stored", "and for whom")?;
        let to = &mut self.to;
        for (index, (title, lines)) in rows::lines(tables).iter().enumerate() {
            if index > 0 {
                writeln!(to)?;
            }
            writeln!(to, "   {BOLD}{title}{BOLD:#}")?;
            for (index, line) in lines.iter().enumerate() {
                let style = if index == 0 { DIM } else { Style::new() };
                writeln!(to, "     {style}{}{style:#}", terminal_text::escape(line))?;
            }
        }
        Ok(())
    }
}

fn answer(exchange: &Exchange, to: &mut impl Write) -> io::Result<()> {
    let answer = &exchange.answer;
    let token = &exchange.question.token;
    let colour = if answer.status().is_success() { GOOD } else { BAD };
    let mark = format!("{colour}<{colour:#}");
    writeln!(to)?;
    writeln!(to, "   {mark} {BOLD}{:?} {}{BOLD:#}", answer.version(), answer.status())?;
    for line in header_lines(answer.headers()) {
        writeln!(to, "   {mark} {DIM}{}{DIM:#}", shown(&line, token))?;
    }
    body(&mark, answer.body(), token, to)
}

fn header_lines(headers: &HeaderMap) -> impl Iterator<Item = String> {
    headers
        .iter()
        .map(|(name, value)| format!("{name}: {}", String::from_utf8_lossy(value.as_bytes())))
}

fn body(mark: &str, body: &[u8], token: &Token, to: &mut impl Write) -> io::Result<()> {
    if body.is_empty() {
        return Ok(());
    }
    writeln!(to, "   {mark}")?;
    let body = shown(&String::from_utf8_lossy(body), token);
    for piece in terminal_text::wrap(&body, WIDTH) {
        writeln!(to, "   {mark} {}", piece.trim_end())?;
    }
    Ok(())
}

fn shown(text: &str, token: &Token) -> String {
    terminal_text::escape(&terminal_text::redact(text, Some(token)))
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
            let message = terminal_text::escape(message);
            let pieces = terminal_text::wrap(&message, WIDTH - 16).into_iter().map(str::to_owned);
            let names = std::iter::once(terminal_text::escape(name))
                .chain(std::iter::repeat(String::new()));
            names.zip(pieces.collect::<Vec<_>>()).map(|(name, piece)| vec![name, piece])
        })
        .collect();
    for line in table::align(&lines) {
        writeln!(to, "     {line}")?;
    }
    Ok(())
}

fn next(program: &str, to: &mut impl Write) -> io::Result<()> {
    let program = terminal_text::escape(program);
    let report = r#"echo '[{"values":{"num_databases":3}}]'"#;
    let commands = [
        (
            "A server that stays, and a token for it",
            format!("{program} serve --create-token '{ORGANISATION}'"),
        ),
        (
            "From another terminal, a report to it (for its organisation if you set\n   \
             USAGE_TOKEN to the token)",
            format!(
                "{report} |\n     {program} save usage --product influxdb --url http://{LOCAL} -"
            ),
        ),
        (
            "The same report byte by byte, without sending it",
            format!(
                "{report} |\n     {program} preview usage --product influxdb --url http://{LOCAL} -"
            ),
        ),
        (
            "A server that fails three times, to try a client",
            format!("{program} serve --fail 503:3 --retry-after 1"),
        ),
    ];
    writeln!(to)?;
    writeln!(to)?;
    writeln!(to, "{BOLD}What to try next{BOLD:#}")?;
    for (what, command) in commands {
        writeln!(to)?;
        writeln!(to, "   {what}:")?;
        writeln!(to, "     {OUT}{command}{OUT:#}")?;
    }
    Ok(())
}
