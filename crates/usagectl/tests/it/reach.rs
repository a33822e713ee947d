//! Where a report goes: which address a token needs, and what is said when a proxy or TLS stands in
//! the way.

use testkit::scripted::{Nobody, Script, ScriptedServer};

use crate::usagectl::{File, run};

/// W40: it is the proxy that does not answer, and the advice is about it.
#[test]
fn transport_blames_the_proxy() {
    let nobody = Nobody::new();
    let proxy = format!("http://user:pass-word@{}", nobody.address());
    let save = |more: &[&str]| {
        let report = ["save", "usage", "--product", "p", "-", "--url", "https://usage.example"];
        run(&[&report, more].concat()).env("HTTPS_PROXY", &proxy).stdin("[]").done()
    };
    let ran = save(&[]);
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(4), ""));
    assert!(ran.stderr.contains("nothing was sent; HTTPS_PROXY"), "{ran:?}");
    assert!(ran.stderr.contains(&format!("through the proxy {}", nobody.address())), "{ran:?}");
    assert!(!ran.stderr.contains("--url") && !ran.stderr.contains("pass-word"), "{ran:?}");

    let ran = save(&["--json"]);
    assert_eq!(ran.json()["kind"], "connect");
    assert!(!ran.stdout.contains("pass-word"), "{ran:?}");
}

/// W40: https is built in, and a server that does not speak it is told apart.
#[test]
fn transport_knows_what_is_no_tls() {
    let server =
        ScriptedServer::start([Script::new().send("HTTP/1.1 400 Bad Request\r\n\r\n").hold()]);
    let url = server.url().replace("http:", "https:");
    let ran =
        run(&["save", "usage", "--product", "p", "-", "--json", "--url", &url]).stdin("[]").done();
    assert_eq!(ran.code, Some(4));
    let object = ran.json();
    assert!(!ran.stdout.contains("built in"), "{ran:?}");
    assert_eq!(object["outcome"], "transport");
    assert_eq!(object["kind"], "tls");
    assert_eq!(object["may_have_been_sent"], false);
}

/// A value that came from a file or a secret often ends in a line break.
#[test]
fn white_space_around_an_address_is_dropped() {
    let url = |option: &[&str], variable: &str| {
        let report = ["preview", "usage", "--product", "p", "-", "--json"];
        let ran = run(&[&report, option].concat()).env("USAGE_URL", variable).stdin("[]").done();
        assert_eq!(ran.code, Some(0), "{ran:?}");
        ran.json()["url"].as_str().unwrap().to_owned()
    };
    let expected = "https://usage.example/in/api/v1/usage/p";
    for (before, behind) in [("", "\n"), ("", "\r\n"), (" ", " "), ("\t", "\u{a0}"), ("\n\n", "")] {
        let text = format!("{before}https://usage.example/in{behind}");
        assert_eq!(url(&[], &text), expected);
        assert_eq!(url(&["--url", &text], "https://another.example"), expected);
    }
    // The other commands that have an address take it the same way.
    let register = ["register", "--print", "--cluster-id", "c", "--product", "p"];
    let ran = run(&register).env("USAGE_URL", "https://usage.example\n").done();
    assert_eq!(ran.stdout, "https://usage.example/start?cluster_id=c&product=p\n");
    // Inside it is a mistake, and alone it is no address.
    for text in ["https://usage .example", "https://usage.example/a\nb", " \n"] {
        let ran = run(&["preview", "usage", "--product", "p", "-", "--json"])
            .env("USAGE_URL", text)
            .stdin("[]")
            .done();
        assert_eq!((ran.code, &ran.json()["field"]), (Some(5), &"url".into()), "{ran:?}");
    }
}

/// Any user of the machine may listen at the default address.
#[test]
fn a_token_needs_an_address() {
    let token = File::new("token", "token-goes-here");
    let path = token.path();
    for command in ["save", "preview"] {
        let report = [command, "usage", "--product", "p", "-"];
        let with_file = [&report[..], &["--token-file", &path]].concat();
        let ran = run(&with_file).stdin("[]").done();
        assert_eq!((ran.code, ran.stdout.as_str()), (Some(2), ""), "{ran:?}");
        assert!(ran.stderr.contains("neither --url nor USAGE_URL"), "{ran:?}");
        let ran = run(&[&report[..], &["--json"]].concat())
            .env("USAGE_TOKEN", "token-goes-here")
            .stdin("[]")
            .done();
        assert_eq!(ran.code, Some(2));
        assert_eq!(ran.json()["outcome"], "usage");
        let help = run(&[command, "--help"]).done().stdout;
        assert!(help.contains("needs an address"), "{help}");
    }
    // Either will do.
    for (options, variable) in [(&["--url", "https://x.example"][..], "X"), (&[], "USAGE_URL")] {
        let report = ["preview", "usage", "--product", "p", "-", "--token-file", &path];
        let ran =
            run(&[&report, options].concat()).env(variable, "https://x.example").stdin("[]").done();
        assert_eq!(ran.code, Some(0), "{ran:?}");
    }
}
