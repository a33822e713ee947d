//! The pages, as HTML. What stands in braces is escaped.

use bytes::Bytes;
use http::Request;
use maud::{DOCTYPE, Markup, PreEscaped, html};
use usage_proto::{RegistrationRequest, Token};

use super::form::{Entries, Faults, LONGEST};
use super::policy::{self, Registration};

/// All of the style, in the page itself.
pub(super) const STYLE: &str = include_str!("style.css");

/// What the form says before anybody types.
pub(super) struct Shown<'a> {
    asked: &'a RegistrationRequest,
    /// Where the form goes: to where it came from.
    action: String,
    invite: bool,
}

impl<'a> Shown<'a> {
    pub(super) fn new(
        asked: &'a RegistrationRequest,
        request: &Request<Bytes>,
        registration: &Registration,
    ) -> Self {
        let query = request.uri().query().unwrap_or_default();
        Self {
            asked,
            action: format!("?{query}"),
            invite: matches!(registration, Registration::Invite(_)),
        }
    }
}

/// The form, with what was typed and what is wrong with it.
pub(super) fn form(shown: &Shown<'_>, entries: &Entries, faults: &Faults) -> Markup {
    let product = &shown.asked.product;
    let title = format!("Register {product}");
    let invite = Field {
        name: "invite",
        label: "Invite code",
        hint: "The code that you were given by whoever runs this server.",
        kind: "text",
        autocomplete: "off",
        value: &entries.invite,
        fault: faults.invite,
    };
    let organisation = Field {
        name: "organisation",
        label: "Organisation",
        hint: "The company, group or person that runs this installation.",
        kind: "text",
        autocomplete: "organization",
        value: &entries.organisation,
        fault: faults.organisation,
    };
    let email = Field {
        name: "email",
        label: "E-mail address",
        hint: "Where questions about this registration may go.",
        kind: "email",
        autocomplete: "email",
        value: &entries.email,
        fault: faults.email,
    };
    let mut fields = vec![organisation, email];
    if shown.invite {
        fields.push(invite);
    }
    // Before anything is typed the focus stays at the top: a customer reads first what this is.
    let first = fields.iter().position(|field| field.fault.is_some());
    let shown_title = if first.is_none() { title.clone() } else { format!("Error: {title}") };
    page(
        &shown_title,
        &html! {
            h1 { (title) }
            p .quiet { "What this installation reports will belong to your organisation." }
            (what_is_registered(shown.asked))
            @if first.is_some() {
                (what_is_wrong(&fields))
            }
            // The server says what is wrong, in words of its own and beside the field.
            form method="post" action=(shown.action) novalidate {
                @for (index, field) in fields.iter().enumerate() {
                    (input(field, first == Some(index)))
                }
                button type="submit" { "Register" }
            }
        },
    )
}

fn what_is_registered(asked: &RegistrationRequest) -> Markup {
    html! {
        dl .facts {
            dt { "Product" } dd { (asked.product) }
            dt { "Cluster" } dd { (asked.cluster_id) }
            dt { "Afterwards" }
            dd {
                @match &asked.redirect_url {
                    Some(url) => {
                        span .plain { "you are sent back to " }
                        (policy::origin(url))
                        @if policy::is_loopback(url) {
                            span .plain { ", a program on this computer" }
                        }
                    }
                    None => span .plain { "this page shows you a token to copy" },
                }
            }
        }
    }
}

/// Which fields to look at; what is wrong with each stands beside it.
fn what_is_wrong(fields: &[Field<'_>]) -> Markup {
    html! {
        div .faults role="alert" {
            strong { "Not registered yet. Please check:" }
            ul {
                @for field in fields.iter().filter(|field| field.fault.is_some()) {
                    li { a href={ "#" (field.name) } { (field.label) } }
                }
            }
        }
    }
}

struct Field<'a> {
    name: &'static str,
    label: &'static str,
    hint: &'static str,
    kind: &'static str,
    autocomplete: &'static str,
    value: &'a str,
    fault: Option<&'static str>,
}

fn input(field: &Field<'_>, first: bool) -> Markup {
    let hint = format!("{}-hint", field.name);
    let fault = format!("{}-fault", field.name);
    let described = if field.fault.is_some() { format!("{fault} {hint}") } else { hint.clone() };
    // An address and a code are not prose.
    let exact = field.name != "organisation";
    html! {
        div .field {
            label for=(field.name) { (field.label) }
            p .hint id=(hint) { (field.hint) }
            @if let Some(words) = field.fault {
                p .fault id=(fault) { (words) }
            }
            input id=(field.name) name=(field.name) type=(field.kind) value=(field.value)
                autocomplete=(field.autocomplete) maxlength=(LONGEST) required
                autocapitalize=[exact.then_some("off")] spellcheck=[exact.then_some("false")]
                aria-describedby=(described) aria-invalid=[field.fault.is_some().then_some("true")]
                autofocus[first];
        }
    }
}

/// The token, once.
pub(super) fn token(asked: &RegistrationRequest, token: &Token) -> Markup {
    page(
        &format!("{} is registered", asked.product),
        &html! {
            h1 { (asked.product) " is registered" }
            p { "Copy this token into the application. It is shown this once, and not kept here." }
            div .field {
                label for="token" { "Token" }
                p .hint id="token-hint" {
                    "A double-click selects all of it, and so does Ctrl+A here (⌘A on a Mac)."
                }
                // The keyboard reaches it, and nothing can be typed into it.
                textarea .token #token readonly rows="3" spellcheck="false" autofocus
                    aria-describedby="token-hint" { (token.expose()) }
            }
            p .quiet { "Keep it like a password. Once it is copied, this page may be closed." }
        },
    )
}

/// The way back where a policy cannot name it.
pub(super) fn link(asked: &RegistrationRequest, url: &str) -> Markup {
    page(
        &format!("{} is registered", asked.product),
        &html! {
            h1 { (asked.product) " is registered" }
            p { "One step is left: go back to the application, which takes the token from there." }
            p .step { a .button href=(url) rel="noreferrer" autofocus { "Continue to the application" } }
        },
    )
}

/// Why there is no form.
pub(super) fn refusal(title: &str, words: &str) -> Markup {
    page(title, &html! { h1 { (title) } p { (words) } })
}

fn page(title: &str, content: &Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="robots" content="noindex";
                title { (title) }
                // Its hash stands in the policy: it is not escaped.
                style { (PreEscaped(STYLE)) }
            }
            body { main { (content) } }
        }
    }
}
