//! The command that resumes a run, ready to be pasted into a shell.

use std::path::Path;

use super::args::ProcessArgs;
use super::path_text::{quoted, shell_word};
use super::ranks::launcher_words;
use super::train_args::TrainArgs;

/// The program, as it was called.
pub fn program() -> String {
    std::env::args_os().next().map_or_else(|| "shadegrad".to_owned(), |name| shell_word(name.as_ref()))
}

/// The command line of the program, as words of a shell.
pub fn command_line() -> String {
    let is_flag = |text: &str| {
        text.starts_with('-') && text.chars().all(|c| c.is_ascii_alphanumeric() || "-=".contains(c))
    };
    let word = |word: std::ffi::OsString| match word.to_str() {
        Some(flag) if is_flag(flag) => flag.to_owned(),
        _ => quoted(word.as_ref()),
    };
    std::env::args_os().map(word).collect::<Vec<_>>().join(" ")
}

impl TrainArgs {
    /// The command that resumes a run with the flags of this one that the run does not record. Flags that were given
    /// to a resumed run are not in its last checkpoint yet.
    pub(super) fn go_on(&self, run: &Path) -> String {
        let mut words = Vec::from_iter(launcher_words());
        words.extend([program(), "train --resume --out".to_owned(), shell_word(run)]);
        if self.resume {
            words.extend(self.said_anew());
        }
        let devices = &self.device.device;
        // One is recorded; of several only the first is.
        if devices.0.len() > 1 || self.resume && !devices.is_auto() {
            words.push(format!("--device {}", shell_word(devices.to_string().as_ref())));
        }
        let number = |flag: &str, value: Option<usize>| value.map(|value| format!("{flag} {value}"));
        let keep = (self.keep_checkpoints != TrainArgs::KEEP_CHECKPOINTS).then_some(self.keep_checkpoints);
        let board = self.tensorboard.as_ref().map(|dir| format!("--tensorboard {}", shell_word(dir)));
        words.extend([number("--keep-checkpoints", keep), board].into_iter().flatten());
        words.extend(number("--top-k", self.report.top_k));
        let ProcessArgs { threads, peer_timeout } = self.process;
        words.extend(number("--threads", threads));
        let timeout = Some(peer_timeout).filter(|&timeout| timeout != ProcessArgs::PEER_TIMEOUT);
        words.extend(number("--peer-timeout", timeout));
        let switches = [
            ("--report", self.report.report),
            ("--profile", self.profile),
            ("--stream", self.stream),
            ("--tui", self.tui),
            ("--quiet", self.quiet),
            ("--json", self.json),
            ("--mixed-devices", self.mixed_devices),
        ];
        words.extend(switches.into_iter().filter(|(_, on)| *on).map(|(flag, _)| flag.to_owned()));
        words.join(" ")
    }

    /// The flags of a resumed run beside what it records.
    fn said_anew(&self) -> Vec<String> {
        let number = |flag: &str, value: Option<usize>| value.map(|value| format!("{flag} {value}"));
        let path = |flag: &str, path: Option<&Path>| path.map(|path| format!("{flag} {}", shell_word(path)));
        let data =
            self.data.as_ref().map(|data| format!("--data {}", shell_word(data.as_argument().as_ref())));
        let switch = |flag: &str, on: bool| on.then(|| flag.to_owned());
        let said = [
            data,
            path("--validation-data", self.validation_data.as_deref()),
            switch("--accept-other-data", self.accept_other_data),
            number("--epochs", self.training.epochs),
            number("--max-steps", self.training.max_steps),
            number("--checkpoint-steps", self.checkpoint_steps),
            switch("--allow-nan", self.training.allow_nan),
        ];
        said.into_iter().flatten().collect()
    }
}
