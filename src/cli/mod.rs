//! The command line: one file per command.
//!
//! Results go to standard output, progress and log lines to standard error; lines of epochs go to standard output where that is
//! no terminal. Exit codes: 0, 1 for a failure, 2 for wrong
//! usage, 130 where Ctrl-C ended training.

mod args;
mod bench;
mod board;
mod changed_shader;
mod clock;
mod completions;
mod crossval;
mod data;
mod device_args;
mod devices;
mod epoch_line;
mod evaluate;
mod explain;
mod export;
mod fitting;
mod go_on;
mod hints;
mod import;
mod init;
mod interrupt;
mod job;
mod judging;
mod kernel_times;
mod layers;
mod layout;
mod listeners;
mod live;
mod logging;
mod lr_find;
mod man;
mod messages;
mod output;
mod path_text;
mod picture_data;
pub mod pictures;
mod predict;
mod predict_rows;
mod predicted;
mod profile;
mod progress;
mod ranks;
mod rate_text;
mod recorder;
mod report;
mod same_data;
mod same_ranks;
mod schedule_end;
mod settings;
mod sheet;
mod so_far;
mod statistics;
mod step_parts;
mod table;
mod terminal;
mod tips;
mod trace;
mod train;
mod train_args;
mod training;
mod training_run;
mod tune;
mod unfinished;
mod values;
mod verify;
mod web_page;
mod wrong;

use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};

use args::ProcessArgs;
use messages::message;
use output::{Output, note};
use ranks::Ranks;
use terminal::{Sink, sink};
use tips::with_tip;

const AFTER_HELP: &str = "\
Start with `shadegrad train`: it trains the convolutional network of the Keras tutorial on MNIST.

Environment:
  RUST_LOG             what is logged to standard error, such as `warn` or `wgpu_core=info`
  WGPU_BACKEND         the APIs that are searched for adapters, with commas between them:
                       vulkan, metal, dx12; by default all that this system has
  SHADEGRAD_CACHE_DIR  where decoded pictures are kept; by default the user's cache folder, and if empty
                       nowhere";

/// Trains convolutional networks with hand-written WGSL compute shaders.
#[derive(Debug, Parser)]
#[command(name = "shadegrad", version, about, after_help = AFTER_HELP)]
struct Cli {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    process: ProcessArgs,
}

#[derive(Debug, Subcommand)]
enum Command {
    Train(Box<train_args::TrainArgs>),
    Evaluate(evaluate::EvaluateArgs),
    Crossval(crossval::CrossvalArgs),
    Predict(predict::PredictArgs),
    Export(export::ExportArgs),
    Report(report::ReportArgs),
    Devices(devices::DevicesArgs),
    Layers(layers::LayersArgs),
    Verify(verify::VerifyArgs),
    Explain(explain::ExplainArgs),
    Bench(bench::BenchArgs),
    LrFind(lr_find::LrFindArgs),
    Import(import::ImportCommand),
    Data(data::DataArgs),
    Completions(completions::CompletionsArgs),
    Man(man::ManArgs),
}

/// Parses the arguments, runs the command, and reports what went wrong. `started` is when the program began.
pub fn main(started: Instant) -> ExitCode {
    let mut cli = match parse() {
        Ok(cli) => cli,
        // The first of several processes says it.
        Err(error) if ranks::launched().is_some_and(|launched| launched.rank > 0) => {
            ranks::let_the_first_speak();
            return ExitCode::from(error.exit_code() as u8);
        }
        Err(error) => with_tip(error, std::env::args_os().skip(1)).exit(),
    };
    if let Command::Train(args) = &mut cli.command {
        args.process = cli.process.clone();
    }
    logging::init();
    tell_panics_once();
    let together = matches!(cli.command, Command::Train(_) | Command::Evaluate(_) | Command::Bench(_));
    match Ranks::begin(together, Duration::from_secs(cli.process.peer_timeout as u64)) {
        Ok(mut ranks) => {
            let ran = run(&cli, started, &mut ranks);
            ranks.end(ran)
        }
        Err(error) => {
            note(format_args!("error: {}", message(&error)));
            ranks::let_the_first_speak();
            ExitCode::FAILURE
        }
    }
}

/// Parses the arguments. Help is wrapped at the width of a terminal; elsewhere its lines stay whole, so that they can be searched.
fn parse() -> Result<Cli, clap::Error> {
    let command = Cli::command();
    let command = if sink() == Sink::Terminal { command } else { command.term_width(0) };
    Cli::from_arg_matches(&command.try_get_matches()?)
}

fn run(cli: &Cli, started: Instant, ranks: &mut Ranks) -> anyhow::Result<ExitCode> {
    use_threads(cli.process.threads.map_or_else(|| ranks.threads(), |threads| Ok(Some(threads)))?)?;
    let mut output = Output::default();
    match &cli.command {
        Command::Train(args) => train::run(args, started, &mut output, ranks),
        Command::Evaluate(args) => evaluate::run(args, &mut output, ranks).map(|()| ExitCode::SUCCESS),
        Command::Crossval(args) => crossval::run(args, &mut output),
        Command::Predict(args) => predict::run(args, &mut output),
        Command::Export(args) => export::run(args, &mut output).map(|()| ExitCode::SUCCESS),
        Command::Report(args) => report::run(args, &mut output).map(|()| ExitCode::SUCCESS),
        Command::Devices(args) => devices::run(args, &mut output).map(|()| ExitCode::SUCCESS),
        Command::Layers(args) => layers::run(args, &mut output).map(|()| ExitCode::SUCCESS),
        Command::Verify(args) => verify::run(args, &mut output),
        Command::Explain(args) => explain::run(args, &mut output).map(|()| ExitCode::SUCCESS),
        Command::Bench(args) => bench::run(args, &mut output, ranks).map(|()| ExitCode::SUCCESS),
        Command::LrFind(args) => lr_find::run(args, &mut output).map(|()| ExitCode::SUCCESS),
        Command::Import(args) => import::run(args, &mut output).map(|()| ExitCode::SUCCESS),
        Command::Data(args) => data::run(args, &mut output).map(|()| ExitCode::SUCCESS),
        Command::Completions(args) => {
            completions::run(args, Cli::command(), &mut output).map(|()| ExitCode::SUCCESS)
        }
        Command::Man(args) => man::run(args, Cli::command(), &mut output).map(|()| ExitCode::SUCCESS),
    }
}

/// Makes the threads that compute, before anything does.
fn use_threads(threads: Option<usize>) -> Result<(), rayon::ThreadPoolBuildError> {
    threads.map_or(Ok(()), |threads| rayon::ThreadPoolBuilder::new().num_threads(threads).build_global())
}

/// Suppresses the message of a panic that becomes an error. Before any other a view gives the terminal back.
fn tell_panics_once() {
    let usual = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        if !crate::panics::is_quiet() {
            live::terminal::leave();
            output::release();
            usual(panic);
        }
    }));
}
