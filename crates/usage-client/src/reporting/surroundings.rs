//! What is known without being told: the host, its system, and whether this is a test.

use usage_proto::UsageData;

/// What CI systems and test runners set.
const OF_PIPELINES: [&str; 14] = [
    "CI",
    "CONTINUOUS_INTEGRATION",
    "GITHUB_ACTIONS",
    "GITLAB_CI",
    "BUILDKITE",
    "CIRCLECI",
    "TRAVIS",
    "APPVEYOR",
    "TF_BUILD",
    "TEAMCITY_VERSION",
    "JENKINS_URL",
    "BITBUCKET_BUILD_NUMBER",
    "NEXTEST",
    "PYTEST_CURRENT_TEST",
];

/// The name of this host, as far as it is text.
pub(super) fn host_name() -> String {
    gethostname::gethostname().to_string_lossy().into_owned()
}

/// Whether the environment is that of a pipeline or a test run, which a maker may want to leave out.
pub(super) fn is_pipeline() -> bool {
    OF_PIPELINES.iter().any(|name| {
        let value = std::env::var_os(name).unwrap_or_default();
        let value = value.to_string_lossy().trim().to_ascii_lowercase();
        !matches!(&*value, "" | "0" | "false" | "no" | "off")
    })
}

/// The tags and ids that every report needs. What the application says itself stands.
pub(super) fn complete(
    mut data: UsageData,
    version: &str,
    cluster_id: &str,
    server_id: &str,
    pipeline: bool,
) -> UsageData {
    let ci = if pipeline { Some("true") } else { None };
    let tags = [
        ("version", Some(version)),
        ("os", Some(std::env::consts::OS)),
        ("arch", Some(std::env::consts::ARCH)),
        ("ci", ci),
    ];
    for (name, value) in tags {
        if let Some(value) = value
            && data.tags.get(name).is_none()
        {
            data.tags.insert(name, value);
        }
    }
    // As in the protocol's own example, ids are values.
    for (name, id) in [("cluster_id", cluster_id), ("server_id", server_id)] {
        if data.values.get(name).is_none() && data.tags.get(name).is_none() {
            data.values.insert(name, id);
        }
    }
    data
}
