//! A program's own command line: completions for shells, and its manual page.

use clap::{Arg, ArgAction, ArgMatches, Command};
use clap_complete::Shell;
use std::io;

/// The command line with `--completions SHELL` and `--man`, of the program of this name.
pub fn with_documents(command: Command, name: &'static str) -> Command {
    let completions = Arg::new("completions")
        .long("completions")
        .value_name("SHELL")
        .value_parser(clap::value_parser!(Shell))
        .exclusive(true)
        .help("Print completions for a shell and exit");
    let man = Arg::new("man")
        .long("man")
        .action(ArgAction::SetTrue)
        .exclusive(true)
        .help("Print the manual page (for man -l -) and exit");
    command.name(name).bin_name(name).arg(completions).arg(man)
}

/// What the command line asks for of these, if it does; only then is the `grammar` built again.
pub fn document(grammar: impl FnOnce() -> Command, matches: &ArgMatches) -> Option<Vec<u8>> {
    let mut text = Vec::new();
    if let Some(shell) = matches.get_one::<Shell>("completions") {
        let mut command = grammar();
        let name = command.get_name().to_owned();
        clap_complete::generate(*shell, &mut command, name, &mut text);
        return Some(text);
    }
    // Writing to memory does not fail.
    matches.get_flag("man").then(|| write_manual(grammar(), &mut text).map(|()| text).ok())?
}

/// One page for the program and all its commands.
fn write_manual(mut command: Command, text: &mut Vec<u8>) -> io::Result<()> {
    command.build();
    clap_mangen::Man::new(command.clone()).render(text)?;
    for sub in command.get_subcommands().filter(|sub| sub.get_name() != "help") {
        text.extend_from_slice(format!(".SH COMMAND {}\n", sub.get_name()).as_bytes());
        let page = clap_mangen::Man::new(sub.clone());
        page.render_synopsis_section(text)?;
        page.render_description_section(text)?;
        page.render_options_section(text)?;
    }
    Ok(())
}
