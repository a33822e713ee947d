//! What waits: order, bounds, and what gives way.

use usage_proto::{BuildError, Stats, StatsData, Usage, UsageData};
use usage_reporter::{Config, LossReason, PendingLimits, ReportKind, SubmitError};

use crate::support::{Host, PERIOD, Step};

fn numbers(size: usize) -> Usage {
    Usage::new("p").data(UsageData::new().value("pad", "x".repeat(size)))
}

fn statistics(size: usize) -> Stats {
    Stats::new("p").data(StatsData::new("pad").value("pad", "x".repeat(size)))
}

#[test]
fn statistics_go_out_in_the_order_they_came_one_at_a_time() {
    let mut host = Host::new();
    for _ in 0..3 {
        host.push_stats();
    }
    for number in 1..=3 {
        let attempt = host.wait_for_attempt();
        assert_eq!(attempt.report, ReportKind::Stats);
        assert!(attempt.request.body().ends_with(format!(":{number}}}}}]}}").as_bytes()));
        // Not beside another.
        assert!(matches!(host.step(), Step::Wait(_)));
        host.answer(&attempt, 200);
    }
    assert_eq!(host.now, host.started);
}

#[test]
fn statistics_that_fail_keep_their_place() {
    let mut host = Host::new();
    host.push_stats();
    host.push_stats();
    let attempt = host.wait_for_attempt();
    host.answer(&attempt, 500);
    let retry = host.wait_for_attempt();
    assert_eq!(retry.request.body(), attempt.request.body());
}

#[test]
fn usage_goes_before_statistics_and_the_server_before_both() {
    let mut host = Host::with(Config::new().start_spread(std::time::Duration::ZERO));
    host.push_stats();
    host.submit();
    host.reporter.register(host.now, &usage_proto::Server::new()).unwrap();
    let mut order = Vec::new();
    for _ in 0..3 {
        let attempt = host.wait_for_attempt();
        order.push(attempt.report.as_str());
        host.answer(&attempt, 201);
    }
    assert_eq!(order, ["server", "usage", "stats"]);
}

#[test]
fn a_flood_is_bounded_in_items_and_the_oldest_statistics_go() {
    let mut host = Host::with(Config::new().pending(PendingLimits::new().items(4)));
    host.submit();
    for _ in 0..1000 {
        host.push_stats();
    }
    let status = host.reporter.status();
    assert_eq!((status.accepted, status.pending), (1001, 4));
    let usage = host.wait_for_usage();
    host.answer(&usage, 201);
    let oldest = host.wait_for_attempt();
    assert!(oldest.request.body().ends_with(b":999}}]}"), "{oldest:?}");
    // One event for all of them: nobody has looked meanwhile.
    assert_eq!(host.losses(), [(ReportKind::Stats, LossReason::Overflow, 997)]);
}

#[test]
fn a_flood_is_bounded_in_bytes_and_the_newest_usage_survives() {
    let limits = PendingLimits::new().bytes(1000);
    let mut host = Host::with(Config::new().pending(limits));
    host.reporter.register(host.now, &usage_proto::Server::new()).unwrap();
    for size in [800, 100, 900] {
        host.reporter.push_stats(host.now, &statistics(300)).unwrap();
        host.reporter.submit(host.now, &numbers(size)).unwrap();
        assert!(host.reporter.status().pending_bytes <= 1000);
    }
    let attempt = host.wait_for_usage();
    assert!(attempt.request.body().len() > 900);
    let mut losses = host.losses();
    losses.sort_unstable();
    assert_eq!(
        losses,
        [
            (ReportKind::Server, LossReason::Overflow, 1),
            (ReportKind::Stats, LossReason::Overflow, 3),
            (ReportKind::Usage, LossReason::Superseded, 2),
        ]
    );
}

#[test]
fn the_path_counts_as_well_as_the_body() {
    let mut host = Host::new();
    host.reporter.push_stats(host.now, &Stats::new("a-long-name-of-a-product")).unwrap();
    let bytes = host.reporter.status().pending_bytes;
    let attempt = host.wait_for_attempt();
    let (path, body) = ("statsa-long-name-of-a-product", attempt.request.body());
    assert_eq!(bytes, path.len() + body.len());
    assert_eq!(host.reporter.status().pending_bytes, 0);
}

#[test]
fn a_report_that_never_fits_is_refused() {
    let mut host = Host::with(Config::new().pending(PendingLimits::new().bytes(100)));
    let refused = host.reporter.push_stats(host.now, &statistics(100)).unwrap_err();
    let SubmitError::TooLarge { size, limit: 100, .. } = refused else { panic!("{refused:?}") };
    assert!(size > 100);
    assert_eq!(host.reporter.status().accepted, 0);
    assert!(matches!(host.step(), Step::Wait(_)));
}

#[test]
fn a_report_that_cannot_be_said_is_refused_and_the_question_stays_open() {
    let mut host = Host::new();
    host.wait_for_collect();
    let usage = Usage::new("p").data(UsageData::new().value("uptime", f64::NAN));
    let refused = host.reporter.submit(host.now, &usage).unwrap_err();
    assert!(matches!(refused, SubmitError::Build(BuildError::NotFinite { .. })), "{refused:?}");
    host.submit();
    assert_eq!(host.wait_for_usage().number, 1);
}

#[test]
fn usage_that_waits_gives_way_to_newer_numbers_before_it_is_sent() {
    let mut host = Host::new();
    let old = host.wait_for_usage();
    host.answer_with(&old, 503, 100);
    host.reporter.report_now(host.now);
    assert!(matches!(host.next(), Step::Collect));
    // The old numbers could go out now, and are about to be replaced.
    assert!(matches!(host.step(), Step::Wait(_)));
    host.submit();
    assert_ne!(host.wait_for_usage().request.body(), old.request.body());
    assert_eq!(host.losses(), [(ReportKind::Usage, LossReason::Superseded, 1)]);
}

#[test]
fn usage_in_flight_gives_way_only_if_it_fails() {
    for (status, loss) in [(201, None), (503, Some(LossReason::Superseded))] {
        let mut host = Host::new();
        let old = host.wait_for_usage();
        host.submit();
        assert!(matches!(host.step(), Step::Wait(_)));
        host.answer(&old, status);
        let new = host.wait_for_usage();
        assert_ne!(new.request.body(), old.request.body());
        host.answer(&new, 201);
        assert!(matches!(host.step(), Step::Wait(until) if until >= host.now + PERIOD));
        let losses: Vec<_> = host.losses().into_iter().map(|(_, reason, _)| reason).collect();
        assert_eq!(losses, Vec::from_iter(loss));
    }
}

#[test]
fn every_report_is_accounted_for() {
    let mut host = Host::with(Config::new().pending(PendingLimits::new().items(2)));
    for round in 0..500 {
        host.push_stats();
        if round % 7 == 0 {
            host.submit();
        }
        if let Step::Send(attempt) = host.step() {
            host.answer(&attempt, [201, 503, 422][round % 3]);
        }
        host.pass(crate::support::SECOND);
        host.step();
        let status = host.reporter.status();
        let lost: u64 = host.losses().iter().map(|(_, _, count)| count).sum();
        assert_eq!(status.lost, lost);
        assert_eq!(status.accepted, status.delivered + status.lost + status.pending);
    }
}
