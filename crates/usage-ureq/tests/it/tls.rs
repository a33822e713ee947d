//! TLS by ureq's own settings; by those of the platform it is in the suite.

use testkit::outcome::{Outcome, in_vain, saved, unsent};
use testkit::samples::{CREATED, SHORT, api, usage};
use testkit::scripted::{Script, ScriptedServer};
use testkit::tls::{self, Authority};
use usage_proto::Deadlines;
use usage_proto::TransportErrorKind::{Timeout, Tls};
use usage_ureq::Client;
use usage_ureq::ureq::Agent;
use usage_ureq::ureq::config::ConfigBuilder;
use usage_ureq::ureq::tls::{Certificate, RootCerts, TlsConfig};

use crate::{save, source, unanswered};

fn trusting(authority: &Authority) -> TlsConfig {
    let certificate = Certificate::from_der(&authority.certificate()).to_owned();
    TlsConfig::builder().root_certs(RootCerts::new_with_certs(&[certificate])).build()
}

fn configured(url: &str, tls: TlsConfig) -> Client {
    Client::configured(api(url), Deadlines::new(), |builder| builder.tls_config(tls)).unwrap()
}

#[test]
fn the_applications_own_authority_is_trusted_and_no_other() {
    let authority = Authority::new();
    let server = tls::answering(authority.server("localhost"), CREATED);
    assert_eq!(save(&configured(&tls::url(&server), trusting(&authority))), saved(201, "{}"));

    let stranger = tls::answering(Authority::new().server("localhost"), CREATED);
    assert_eq!(save(&configured(&tls::url(&stranger), trusting(&authority))), in_vain(Tls));
    // Mozilla's are built in.
    assert_eq!(save(&configured(&tls::url(&server), TlsConfig::builder().build())), in_vain(Tls));
}

#[test]
fn the_tls_of_an_agent_of_the_applications_own_is_used() {
    let authority = Authority::new();
    let server = tls::answering(authority.server("localhost"), CREATED);
    let builder = Agent::config_builder().proxy(None).tls_config(trusting(&authority));
    let client = Client::with_agent(api(&tls::url(&server)), builder.build().into());
    for _ in 0..3 {
        assert_eq!(save(&client), saved(201, "{}"));
    }
    assert_eq!((server.received().len(), server.connections()), (3, 1));
}

#[test]
fn w41_the_connect_deadline_is_told() {
    let server = ScriptedServer::start([Script::new().hold()]);
    let tls = trusting(&Authority::new());
    let configure = |builder: ConfigBuilder<_>| builder.tls_config(tls);
    let deadlines = Deadlines::new().connect(SHORT);
    let client = Client::configured(api(&tls::url(&server)), deadlines, configure).unwrap();
    let error = unanswered(client.save(&usage()));
    assert_eq!(Outcome::unanswered(&error), unsent(Timeout));
    assert_eq!(source(&error), "it took longer than 0.3 s to connect");
}
