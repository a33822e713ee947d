//! What `--help` says of the commands on a database.

macro_rules! database_help {
    () => {
        "\
EXIT STATUS
  0  done
  1  the database or standard output failed
  2  the arguments make no sense
  5  a file or a variable is wrong

ENVIRONMENT
  USAGE_DATABASE  the database, if there is no --database; an address of
                  PostgreSQL may have its password here"
    };
}

pub(crate) const TOKENS_ABOUT: &str = "\
Make, show, end and replace the tokens of a database

Works on the database itself, while servers run or not. A token is printed when
it is made and never again: the database has its hash alone. What comes with a
token that has ended is refused with 401, by every server of the database,
within ten seconds. Its reports stay, and so do those of an organisation that is
removed, as reports of nobody.";

pub(crate) const TOKENS: &str = concat!(
    "\
EXAMPLES
  usagectl tokens create 'Example Inc.'
  usagectl tokens list
  Replace a token; the old one counts for a week beside the new one:
    usagectl tokens rotate 3 --overlap 7d
  End one that has leaked, all of a customer, or the customer:
    usagectl tokens revoke --token-file leaked.txt
    usagectl tokens revoke --organisation 'Example Inc.'
    usagectl tokens remove 'Example Inc.'

  With --json:
    list            {\"tokens\":[{\"id\":…,\"organisation\":…,\"created_at\":…,
                    \"ends_at\":…,\"has_ended\":…,\"email\":…}]}
    create, rotate  {\"organisation\":…,\"token\":…}
    revoke, remove  {\"outcome\":\"revoked\",\"tokens\":1}

",
    database_help!()
);

pub(crate) const EXPORT_ABOUT: &str = "\
Write the reports of a database as lines

Reads the database itself, while servers run or not, in memory that does not
grow with it. Reports come in the order of their positions, which is the order
in which they were stored: an export that goes on --after the last position of
the one before has each report once, and leaves out none. One that broke off
goes on behind the last whole line that it wrote.

docs/export.md says what each field means. A report is data from outside: a
spreadsheet may take a cell of the CSV for a formula.";

pub(crate) const EXPORT: &str = concat!(
    "\
EXAMPLES
  usagectl export --format ndjson > reports.ndjson
  Usage of a product in the last week, for a spreadsheet:
    usagectl export --format csv --kind usage --product influxdb --since 7d
  What came since the last time:
    usagectl export --format ndjson --after 48213

  With --json an error is an object; the reports are written as --format says.

",
    database_help!()
);

pub(crate) const ERASE_ABOUT: &str = "\
Erase reports from a database

Works on the database itself, in slices, while servers run or not. Everything
goes that is kept of a report, and what is deleted is overwritten in the file;
the log beside it is overwritten in its turn. Copies are yours to look after.

An instance is found by the id that it reports with: by its server_id, or by its
cluster_id where it names no server, in fields, tags and values. The id of a
cluster finds the servers and the statistics of that cluster, too. Whoever
reports on may come back: end the token, too, or stop the sender.

Who registered at the page /start, and for which cluster, is kept with the
token and not with the instance: --organisation erases it, with the reports, and
`usagectl tokens remove` without them.

What is kept is that something was erased: when, which kind of thing, how many
reports, and the SHA-256 of the kind, a zero byte and the name, so that one who
knows the name can look whether it was.";

pub(crate) const ERASE: &str = concat!(
    "\
EXAMPLES
  Look first, then erase:
    usagectl erase --instance 4042909480400749287 --dry-run
    usagectl erase --instance 4042909480400749287
  A customer, with the tokens:
    usagectl erase --organisation 'Example Inc.'
  What is older than that:
    usagectl erase --before 400d

  With --json, and with \"counted\" for --dry-run:
    {\"outcome\":\"erased\",\"reports\":3,\"tokens\":0}

",
    database_help!()
);

pub(crate) const SUMMARY_ABOUT: &str = "\
Tell who reported since when, and with what

For each product: how many reports came, from how many installations, how many
of those are new, and which versions, systems and processors they had last.

An installation is found by its id; docs/export.md says where. Where a product
draws its id anew at each start, starts are counted.

Then how many requests all servers have refused, by reason, since the day that
the time is on (UTC). A server adds to that once a minute and when it stops.";

pub(crate) const SUMMARY: &str = concat!(
    "\
EXAMPLES
  usagectl summary
  usagectl summary --since 2026-11-01 --product influxdb --json

  With --json:
    {\"since\":…,\"products\":[{\"product\":…,\"reports\":{\"usage\":…},\"active\":…,
     \"new\":…,\"ids_are_stable\":…,\"without_id\":…,\"versions\":
     {\"top\":[{\"name\":…,\"instances\":…}],\"others\":…,\"unknown\":…},\"os\":…,\"arch\":…}],
     \"refused\":{\"since\":…,\"requests\":…,\"reasons\":{\"unknown_token\":…}}}

",
    database_help!()
);

pub(crate) const DATABASE_ABOUT: &str = "\
Copy a database, or move it to another

`backup` copies what is stored by now into a new file, while servers run, and
none of them waits for it. The copy is a database like the other: to restore it,
stop the server, and put it in its place. PostgreSQL has pg_dump for that.

`move` copies everything into another database, SQLite or PostgreSQL, where
reports keep their positions, tokens count as they did, and keys are known.
Stop the servers first. It counts at the end, and one that broke off goes on
where it was. The database that is left stays as it is.";

pub(crate) const DATABASE: &str = concat!(
    "\
EXAMPLES
  usagectl database backup usage-2026-11-27.db

  From one machine to several:
    usagectl database move --from usage.db --to postgres://usage@db.example/usage

  With --json:
    {\"outcome\":\"copied\",\"file\":…,\"bytes\":…}
    {\"outcome\":\"moved\",\"reports\":…,\"before\":…,\"tokens\":…}

",
    database_help!()
);
