//! What `--help` says of `serve`.

pub(crate) const SUMMARY: &str = "Be a Usage API that stores what it is told";

pub(crate) const ABOUT: &str = "\
Be a Usage API that stores what it is told

Prints one line, `listening on http://…`, when it is ready, and logs each
request on standard error or in --log-file, one line each, without tokens. Stops
on SIGINT and SIGTERM: requests in flight are finished first, a second signal
stops at once.

SIGHUP has it open the log file anew, and read --config and the invite codes
again. Where one of them is wrong the log says so, and the server goes on as it
was. Started by hand in a terminal, with neither a log file nor --config, it stops
on SIGHUP, which is what a terminal sends when it is closed.

--config names a file in TOML. Its keys are the names of the options under
Registration, Limits and Log but for --log-file; an option comes before the key:
    registration = \"invite\"
    invite-file = \"/etc/usage/invite-codes\"
    products = [\"influxdb\", \"chronograf\"]
    requests-per-address = 600
    log-format = \"json\"

What is above a limit is answered with 429 and the time to wait. Clients of this
project wait and send again; old Go clients take it for a success, and that report
is lost.

A report is answered when it is safely in the database: an SQLite file, or one
of PostgreSQL 15 or newer, which any number of servers may share. Reports
without a token are taken, and belong to nobody.

The file has to be this user's own: a link, a file of another user, or one that
others may write is refused, unless --accept-file says that it is meant, as for
a container whose volume belongs to another user.

With --registration open or invite customers register in a browser at the page
/start, and get a token. The browser is sent back to a loopback address of its
own machine, or to an origin that --allow-redirect names. Over plain http the
page works on this machine alone: a browser sends the form only where it trusts
the connection.

What is older than --keep says is deleted, and its room is given back. There are
servers, stats, usage, and keys: those are the idempotency keys, which go with
their reports, but are kept for 14 days at least.

What --create-token prints is a secret. Where this runs as a service, what it
prints ends in the service's journal, which more people read. Make the token by
hand there, once, with the same --database and --listen 127.0.0.1:0. An
organisation that has a token gets no other one unless you say --another.

A proxy on the same machine reaches it at --listen unix:PATH too; who may connect
there is what the mode of the socket says, and so the umask. Behind a proxy all
clients have its address: name it with --trust-forwarded-for, and the last address
in X-Forwarded-For that is not a proxy's counts. systemd may hand over sockets,
one of them with FileDescriptorName=metrics, and is told when the server is ready,
reads its configuration again, and stops (Type=notify or notify-reload).

With --metrics it tells Prometheus how it is: GET /metrics there counts requests,
refusals by reason, transactions and connections, and tells how many reports the
database has, of which age and size, and when it was pruned. GET /readyz says
whether it is to have requests.

The server speaks plain HTTP. Put something that speaks TLS in front of it
before other machines send tokens to it.";

pub(crate) const SERVE: &str = "\
EXAMPLES
  Store in usage.db in this directory:
    usagectl serve
  With a token for a customer, printed on the second line:
    usagectl serve --create-token 'Example Inc.'
  On a free port, for a script that reads the first line:
    usagectl serve --listen 127.0.0.1:0 --database ./usage.db
  Several servers over one database:
    usagectl serve --database postgres://usage@db.example/usage \\
        --password-file /etc/usage/password
  Keep usage for 400 days, and the rest for ever:
    usagectl serve --keep usage=400d
  Fail three times, then work, to try a client:
    usagectl serve --fail 503:3 --retry-after 30
  Let customers register in a browser, at the page /start:
    usagectl serve --registration open
    usagectl serve --registration invite --invite-file codes \\
      --allow-redirect https://console.example.com
  Answer late, or send clients elsewhere:
    usagectl serve --delay 200ms
    usagectl serve --redirect http://elsewhere.example/

  With --json the line is an object; if the server cannot start it is
  {\"outcome\":\"failed\",\"message\":…}. The token is null if the organisation has
  one already, and the part about it is left out without --create-token:
    {\"url\":…,\"address\":…,\"addresses\":[…],\"database\":…,
     \"token\":{\"organisation\":…,\"token\":…}}
  With --metrics it has \"metrics\" too, the address. Without a TCP socket it has
  no \"url\".

EXIT STATUS
  0    stopped by a signal, with every request answered
  1    could not start, or left requests unanswered
  2    the arguments make no sense
  5    a file, the configuration or a variable is wrong
  130  stopped by a second signal

ENVIRONMENT
  USAGE_DATABASE  the database, if there is no --database; an address of
                  PostgreSQL may have its password here";
