"""The database tables of this release (migrations/ upgrades older ones). Times are seconds since 1970 (UTC)."""

from sqlalchemy import Boolean, Column, Double, ForeignKey, Index, Integer, MetaData, String, Table, Text, false

HEAD = "0009"
"""The newest migration, which a database must have."""

METADATA = MetaData()

RUN = Table(
    "run",
    METADATA,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("kind", String(20), nullable=False),
    Column("spec", Text, nullable=False),
    Column("request", String(16)),  # fingerprint of the forget request, shared by runs with the same reference
    Column("about", Integer),  # the run that a measurement or Grad-CAM query belongs to
    Column("title", Text, nullable=False),
    Column("state", String(20), nullable=False),
    Column("owner", String(200), nullable=False),
    Column("priority", Integer, nullable=False),
    Column("group", String(200)),
    Column("parent", Integer, ForeignKey("run.id", ondelete="SET NULL")),
    Column("note", Text, nullable=False),
    Column("device", String(40)),
    Column("attempt", Integer, nullable=False),  # how often it was claimed: the fencing token
    Column("deaths", Integer, nullable=False),  # how often its process died
    Column("losses", Integer, nullable=False, server_default="0"),  # how often its worker was lost, process and all
    Column("created", Double, nullable=False),
    Column("started", Double),
    Column("began", Double),  # the start in the uptime of that machine
    Column("finished", Double),
    Column("error", Text),
    Column("progress", Text),
    Column("silence", Text),  # how long it has made no step, and how long it may
    Column("headline", Text, nullable=False),
    Column("cancelling", Boolean, nullable=False),
    Column("worker", String(200)),
    Column("lease", Double),
    Column(
        "boot", String(40)
    ),  # boot id of the machine that wrote the lease, and the lease in its uptime: see clock.py
    Column("uptime", Double),
    # whether everybody may read it although sharing is private
    Column("shared", Boolean, nullable=False, server_default=false()),
    Column("pinned", Boolean, nullable=False, server_default=false()),  # whether retention leaves it alone
    Index("run_queue", "state", "priority", "owner", "id"),
    Index("run_served", "finished"),
    Index("run_request", "request"),
    Index("run_about", "about"),
    Index("run_group", "group"),
    Index("run_kind", "kind", "state"),
    sqlite_autoincrement=True,  # ids are never reused: an old link must not show another run
)

POINT = Table(
    "point",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("run", Integer, ForeignKey("run.id", ondelete="CASCADE"), nullable=False),
    Column("step", Integer, nullable=False),
    Column("seconds", Double, nullable=False),
    Column("phase", Text, nullable=False),
    Column("forget", Double),  # SQLite stores NaN as NULL
    Column("retain", Double),
    Index("point_run", "run", "step"),
)

WORKER = Table(
    "worker",
    METADATA,
    Column("name", String(200), primary_key=True),
    Column("device", String(40), nullable=False),
    Column("pid", Integer, nullable=False),
    Column("code", String(64), nullable=False),
    Column("state", String(40), nullable=False),
    Column("seen", Double, nullable=False),
    Column("boot", String(40)),
    Column("uptime", Double),
)

SWEEP = Table(
    "sweep",
    METADATA,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("spec", Text, nullable=False),
    Column("title", Text, nullable=False),  # the title of each of its runs
    Column("state", String(20), nullable=False),
    Column("owner", String(200), nullable=False),
    Column("created", Double, nullable=False),
    Column("finished", Double),
    Column("error", Text),
    Column("facts", Text, nullable=False),
    Column("worker", String(200)),  # the worker that holds the sweep, and until when
    Column("lease", Double),
    Column("boot", String(40)),
    Column("uptime", Double),
    Index("sweep_state", "state"),
    sqlite_autoincrement=True,
)

TRIAL = Table(
    "trial",
    METADATA,
    Column("sweep", Integer, ForeignKey("sweep.id", ondelete="CASCADE"), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column(
        "run", Integer, ForeignKey("run.id", ondelete="SET NULL")
    ),  # NULL for a deleted run, whose trial still counts
    Column("params", Text, nullable=False),
    Column("attributes", Text, nullable=False),
    Column("stopped", Text),
    Index("trial_run", "run", unique=True),
)

BOARD = Table(
    "board",
    METADATA,
    Column("code", String(8), primary_key=True),
    Column("created", Double, nullable=False),
)

ANSWER = Table(
    "answer",
    METADATA,
    Column("board", String(8), ForeignKey("board.code", ondelete="CASCADE"), primary_key=True),
    Column("lesson", String(80), primary_key=True),
    Column("step", Integer, primary_key=True, autoincrement=False),
    Column("visitor", String(32), primary_key=True),  # a random number of a browser, of which nothing else is known
    Column("choice", Integer, nullable=False),
)

BOARD_RUN = Table(
    "board_run",
    METADATA,
    Column("run", Integer, ForeignKey("run.id", ondelete="CASCADE"), primary_key=True, autoincrement=False),
    Column("board", String(8), ForeignKey("board.code", ondelete="CASCADE"), primary_key=True),
    Index("board_run_board", "board"),
)

VISITOR = Table(
    "visitor",
    METADATA,
    Column("id", String(40), primary_key=True),
    Column("name", String(80), nullable=False),
    Column("created", Double, nullable=False),
)

MOVE_CODE = Table(
    "move_code",
    METADATA,
    Column("digest", String(64), primary_key=True),  # of the code, so that a copy of the database lets nobody in
    Column("owner", String(40), nullable=False),
    Column("expires", Double, nullable=False),
)

WRONG_CODE = Table(
    "wrong_code",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("tried", Double, nullable=False),
)

ITEM = Table(
    "item",
    METADATA,
    Column("kind", String(20), primary_key=True),  # a classifier or a data set that a user added
    Column("name", String(200), primary_key=True),
    Column("owner", String(200), primary_key=True),
    Index("item_owner", "owner"),
)

READER = Table(
    "reader",
    METADATA,
    Column("run", Integer, ForeignKey("run.id", ondelete="CASCADE"), primary_key=True, autoincrement=False),
    Column("visitor", String(200), primary_key=True),  # one who wanted this run too; the first one is its owner
    Column("priority", Integer, nullable=False),
    Column("joined", Double, nullable=False),
    Index("reader_visitor", "visitor"),
)

SWITCH = Table(
    "switch",
    METADATA,
    Column("name", String(40), primary_key=True),  # what the operator has switched on
    Column("since", Double, nullable=False),
)
