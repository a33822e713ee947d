//! What `--help` says beyond the list of options.

/// So that the texts below can share their parts, which `concat!` takes as literals only.
macro_rules! exit_status {
    () => {
        "\
EXIT STATUS
  0  done: saved, or printed
  1  the server or standard output failed
  2  the arguments make no sense
  3  the API refused the report
  4  there was no answer
  5  the request could not be built: a file, an address or a token is wrong"
    };
}

macro_rules! reach {
    () => {
        "  USAGE_URL    address of the API, if there is no --url
  USAGE_TOKEN  token, if there is no --token-file; needs an address
  HTTPS_PROXY, HTTP_PROXY, ALL_PROXY, NO_PROXY
               proxy for all but this machine's own addresses
  An empty USAGE_URL or USAGE_TOKEN is an error; unset it instead."
    };
}

macro_rules! environment {
    () => {
        concat!("ENVIRONMENT\n", reach!())
    };
}

pub(crate) const ROOT: &str = concat!(
    "\
EXAMPLES
  See the API at work, on this machine alone:
    usagectl demo
  Run an API, and report to it from another terminal:
    usagectl serve
    usagectl save usage --product influxdb usage.json

`usagectl COMMAND --help` tells more about each command.

",
    exit_status!()
);

pub(crate) const DEMO_ABOUT: &str = "\
Show the API at work: a server, reports, answers and errors

Starts a Usage API on a free port of this machine, with a temporary database.
Shows where a customer would register, makes a token for one, then saves a
server, statistics and usage, and shows each request as it stands on the wire,
with its answer. Two reports are wrong on purpose, to show the errors. In the
end come the rows that the server stored.

Nothing leaves this machine, and nothing is left behind.";

pub(crate) const DEMO: &str = "\
EXAMPLES
  usagectl demo
  usagectl demo | less

EXIT STATUS
  0  shown; that two of the reports are refused is a part of it
  1  the demo's server or standard output failed
  2  the arguments make no sense
  4  the demo's server did not answer

ENVIRONMENT
  NO_COLOR     set to anything: no colours, not even on a terminal";

pub(crate) const SAVE_ABOUT: &str = "\
Send a report

FILE holds the JSON body as the API takes it. It is read strictly: a field that
the report does not have is an error that names it, and so is whatever else
would not be sent as it stands. `null` stands for what is empty.

Without --url and USAGE_URL the report goes to http://127.0.0.1:7086, where
`usagectl serve` listens on this machine: never to production by accident. The
production API is https://usage.influxdata.com, the one for tests is
https://usage.staging.influxdata.com. With a token one of the two must be given,
since any user of this machine may be listening at the default address.

To save is an explicit act: DO_NOT_TRACK and USAGE_REPORTING do not stop it. They
are for what is sent without being asked for, as by `usagectl report`.

The report is sent once. If there was no answer (exit status 4), it may have
arrived all the same; the message says whether that can be.";

pub(crate) const SAVE: &str = concat!(
    "\
EXAMPLES
  usagectl save usage --product influxdb usage.json
  echo '[{\"values\":{\"num_databases\":3}}]' |
    usagectl save usage --product influxdb -
  usagectl save server --url https://usage.example.com \\
    --token-file /etc/influxdb/usage.token server.json

  With --json the outcome is one object on standard output:
    {\"outcome\":\"saved\",\"status\":201,\"body\":\"{}\",\"complete\":true}
  The other outcomes are
    simple, validation, redirect, too_large, unexpected
                  the API refused; with status, retryable, retry_after_s
    page          a web page answered in its place, such as that of a captive
                  portal: the report has gone nowhere; with the same
    transport     no answer; with kind, may_have_been_sent, message
    build         nothing to send; with message, and field if one is to blame
    usage         the arguments make no sense; with message

",
    exit_status!(),
    "\n\n",
    environment!()
);

pub(crate) const PREVIEW_ABOUT: &str = "\
Print the request that save would send, without sending it

Takes the arguments of save, goes the same way up to the request, and prints it
byte by byte as the transport would write it, with CRLF and all. The token is
shown as [redacted]. No socket is opened.

A proxy that the environment names is not asked for here. For an http address
it would get the same request with the whole address in its first line.";

pub(crate) const PREVIEW: &str = "\
EXAMPLES
  usagectl preview usage --product influxdb usage.json
  usagectl preview usage --product influxdb --json - < usage.json | jq -r .body
  usagectl preview server --url https://usage.example.com server.json

  With --json the request is one object:
    {\"method\":…,\"url\":…,\"headers\":[[name,value],…],\"body\":\"…\"}

EXIT STATUS
  0  printed
  1  standard output failed
  2  the arguments make no sense
  5  the request could not be built: a file, an address or a token is wrong

ENVIRONMENT
  USAGE_URL    address of the API, if there is no --url
  USAGE_TOKEN  token, if there is no --token-file; needs an address
  An empty one is an error; unset it instead.";

pub(crate) const REPORT_ABOUT: &str = "\
Report usage on a schedule, until a signal comes

Runs COMMAND when usage is due, and sends what it prints: the JSON body of a
usage report, a list such as [{\"values\":{\"num_databases\":3}}]. If it fails,
takes too long or prints too much, nothing is sent that time.

COMMAND finds the ids of this server in USAGE_SERVER_ID and USAGE_CLUSTER_ID. It
has to print them as the values server_id and cluster_id, as in
    printf '[{\"values\":{\"server_id\":\"%s\",\"cluster_id\":\"%s\"}}]' \\
      \"$USAGE_SERVER_ID\" \"$USAGE_CLUSTER_ID\"
A report without them belongs to no server, and `usagectl forget` cannot have it
erased.

COMMAND gets neither the token nor the variables whose names end in _PROXY, which
may hold a password. When it has ended, what it has left running has a second to
close the output; then what came counts. All that it has started is stopped then,
and also when usagectl ends, in whatever way, unless it has moved to a process
group of its own.

The first report of a new state comes at some time within the first period, and
every later one a period after the last that the API has acknowledged, plus up
to a twelfth: machines that start together do not report together. A report
that fails is tried again, four times in all, unless the API has refused it, and
is never counted twice by an API that knows idempotency keys, as `usagectl serve`
does. The state keeps the time over restarts. One process at a time can report
with it. It has to be this user's own: a link, a file of another user, or one
that others may write is refused, unless --accept-file says that it is meant, as
for a container whose volume belongs to another user.

A machine that was cloned together with its state would be the same server as
the original for ever. Start it once with --new-identity, or make the image
without the state.

Logs on standard error what is worth a look: the start, the end, when reports
stop getting through and when they do again, a COMMAND that does not work, a
state that cannot be stored; all attempts with --verbose. SIGINT, SIGTERM and
SIGHUP stop it; what waits is sent first, and what is due is collected and sent,
for as long as --flush-timeout says. A second signal, a moment later, stops at
once.

The token file is read again every ten seconds. A secret that was replaced is
used without a restart, and usage that the API has refused for the old one is
collected anew. A token from a variable, from standard input or from a pipe
stays.

Nothing at all is done where the variable that --consent-variable names says no,
or DO_NOT_TRACK says so; the line at the start tells which rule decided.";

pub(crate) const REPORT: &str = concat!(
    "\
EXAMPLES
  Every twelve hours, for ever:
    usagectl report --product influxdb --state /var/lib/influxdb/usage.json \\
      --url https://usage.example.com -- influx-usage --json
  Try it on this machine, with `usagectl serve` in another terminal:
    usagectl report --product demo --every 1s --state ./usage.json -- \\
      echo '[{\"values\":{\"num_databases\":3}}]'
  See what would be sent:
    influx-usage --json | usagectl preview usage --product influxdb -

  With --json there is one object at the end:
    {\"outcome\":\"stopped\",\"by\":\"signal\",\"delivered\":2,\"lost\":0,\"pending\":0}
  It says \"by\":\"api\" if the API answered 410 Gone. Where reporting is off it is
    {\"outcome\":\"off\",\"message\":…}

EXIT STATUS
  0    stopped by a signal, or switched off
  1    the system or standard output failed
  2    the arguments make no sense
  3    the API wants no more reports
  5    a file, an address or a token is wrong, or the state is in use
  130  stopped by a second signal

",
    "\
ENVIRONMENT
  USAGE_REPORTING
               off to report nothing, on to report in spite of DO_NOT_TRACK
  DO_NOT_TRACK 1 to report nothing
",
    reach!()
);

pub(crate) const STATUS_ABOUT: &str = "\
Tell how the reporting goes

Reads the state that `usagectl report` keeps, and tells whether reporting is on
and which rule decided it, when the API last took a report, when the next one is
due, and how many in a row were not delivered; and by its ids each server that the
API is to forget and has not yet. Nothing is changed or sent.

With --last it also shows the last usage report as it left this machine, with the
answer. It lies beside the state, in a file with `.last` behind its name. The
token is not in it, and a body of more than 48 KiB is cut.

The state is as it was when it was stored last: before and after each report.
Consent is what the variables of this very call say. A service may have others.";

pub(crate) const STATUS: &str = "\
EXAMPLES
  usagectl status --state /var/lib/influxdb/usage.json
  usagectl status --last --state /var/lib/influxdb/usage.json

  With --json it is one object; state is null if nothing was ever stored:
    {\"consent\":{\"on\":true,\"rule\":…},\"state\":{\"last_success\":…,\"next_due\":…,
     \"failures\":0,\"unacknowledged\":false,\"to_be_forgotten\":[],
     \"not_forgotten\":[{\"cluster_id\":…,\"server_id\":…}]}}

EXIT STATUS
  0  told
  1  standard output failed
  2  the arguments make no sense
  5  the file cannot be read, or is not a state

ENVIRONMENT
  USAGE_REPORTING
               off to report nothing, on to report in spite of DO_NOT_TRACK
  DO_NOT_TRACK 1 to report nothing";

pub(crate) const FORGET_ABOUT: &str = "\
Ask an API to erase what a state has reported

For a customer who has opted out and wants to be forgotten. Switch `usagectl
report` off first: while it runs, the state is in use. What is erased is what
came under the ids in the state, with a token of the same organisation or without
one. The ids are given up with that: a later report comes from another server.

Reports are found by their ids alone. The COMMAND of `usagectl report` has to put
those it is given, USAGE_SERVER_ID and USAGE_CLUSTER_ID, into what it prints. A
report without them, or with other ones, is not found: ask the API's maker to
erase it.

The state remembers the wish until the API has done it. Nothing asks again by
itself: another call does. With --retry that is done if it is time to, ten times
in all with pauses of an hour and more, and nothing new is asked for: for a script
that runs at each start.

An API that cannot forget, as the original one, says so, and the ids are printed:
its maker finds the reports by them.

To ask is an explicit act: DO_NOT_TRACK and USAGE_REPORTING do not stop it.";

pub(crate) const FORGET: &str = concat!(
    "\
EXAMPLES
  usagectl forget --product influxdb --state /var/lib/influxdb/usage.json \\
    --url https://usage.example.com --token-file /etc/influxdb/usage.token
  See what would be sent:
    usagectl forget --dry-run --product influxdb \\
      --state /var/lib/influxdb/usage.json

  With --json the outcome is one object on standard output:
    {\"outcome\":\"forgotten\",\"reports\":12}
    {\"outcome\":\"nothing_to_forget\"}
    {\"outcome\":\"nothing_found\",\"message\":…}
    {\"outcome\":\"not_forgotten\",\"reason\":…,\"message\":…,\"servers\":[]}
  The reason is pending, unsupported or given_up.

EXIT STATUS
  0  forgotten, or there is nothing to forget, or nothing was found
  1  the state cannot be stored, or standard output failed
  2  the arguments make no sense
  3  the API refused, as a token that it does not know, or cannot forget
  4  there was no answer, or the API could not do it now: to be asked again
  5  a file, an address or a token is wrong, or the state is in use

",
    environment!()
);

pub(crate) const REGISTER_ABOUT: &str = "\
Register a customer in a browser, and keep the token

Prints an address, which the customer opens in a browser (--open does that), and
waits for the token, 10 minutes unless --wait says otherwise. The browser brings
it to a port of this machine; at the same time the address that the browser ends
at, or a token that a page shows, can be pasted here. Either way it goes to
--token-file, which is for its owner alone, or is printed where there is none.
Ctrl-C ends the waiting, and nothing is stored then.

With --print the address alone is printed, and nothing is waited for: the
browser goes to --redirect-url afterwards, with the token in its query as
token=…; without one the page shows the token.

The address is that of the production API unless --url or USAGE_URL says
otherwise.";

pub(crate) const REGISTER: &str = "\
EXAMPLES
  On a desktop:
    usagectl register --cluster-id clus1 --product chronograf \\
      --token-file token --open
  On a server without a browser, with the port forwarded to it:
    usagectl register --cluster-id clus1 --product chronograf \\
      --token-file token --callback-port 8889
    ssh -L 8889:127.0.0.1:8889 server      (on the desktop, beforehand)
  The token into a variable; all else is on standard error:
    token=$(usagectl register --cluster-id clus1 --product chronograf)
  The address alone:
  usagectl register --print --cluster-id clus1 --product chronograf
  usagectl register --print --cluster-id clus1 --product chronograf \\
    --redirect-url http://127.0.0.1:8888/registered

  With --json there is an object at the end, and the address on standard error:
    {\"outcome\":\"registered\",\"token_file\":…}
  or, without --token-file,
    {\"outcome\":\"registered\",\"token\":…}
  and with --print:
    {\"url\":…}

EXIT STATUS
  0  registered, or printed
  1  standard output failed
  2  the arguments make no sense
  4  no token came: the time is over, or a signal came
  5  an address, a file or a port is wrong

ENVIRONMENT
  USAGE_URL    address of the API, if there is no --url";
