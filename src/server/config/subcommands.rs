//! The subcommands: everything that the command line can ask for beside a server.

use super::parameters::SCHEMA;
use std::path::PathBuf;

// Comments here are the help; one on the enum would be that of the whole program.
#[derive(clap::Subcommand)]
pub(super) enum Subcommand {
    /// Hash a password for --oper, read from the terminal or from stdin
    Hash,
    /// Give an account a new password, read from the terminal or from stdin, while no server runs
    Passwd {
        /// Name of the account
        name: String,
        #[command(flatten)]
        data: Data,
        /// Make the account
        #[arg(long)]
        add: bool,
    },
    /// Write the messages in a data directory as JSON lines
    Export {
        #[command(flatten)]
        data: Data,
        /// File to write, which only its owner can read [default: standard output]
        #[arg(short, long, value_name = "FILE")]
        output: Option<PathBuf>,
        /// With direct messages
        #[arg(long)]
        private: bool,
        /// With the list of accounts, without their passwords
        #[arg(long)]
        accounts: bool,
        /// Everything, password hashes included, in the form that import reads
        #[arg(long)]
        all: bool,
        /// Export one room only, such as '#lobby' [default: all that everyone may enter]
        room: Option<String>,
    },
    /// Import an export from stdin into an empty data directory (all or nothing)
    Import(Data),
    /// Copy a data directory to a new one, also while a server uses it
    Backup {
        /// Directory to create
        #[arg(value_name = "COPY")]
        dir: PathBuf,
        #[command(flatten)]
        data: Data,
    },
    /// Copy a backup to an empty data directory
    Restore {
        /// Directory that backup has created
        #[arg(value_name = "COPY")]
        dir: PathBuf,
        #[command(flatten)]
        data: Data,
    },
}

/// The directory of a subcommand that requires one.
#[derive(clap::Args)]
#[group(skip)]
pub(super) struct Data {
    /// Data directory
    #[arg(long, value_name = "DIR", env = SCHEMA.variable("data"), hide_env = true)]
    pub(super) data: PathBuf,
}
