//! Where a run writes its metrics for TensorBoard.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};

use super::args::whole_path;
use super::output::{check_writable, note};
use super::path_text::{from_text, shell_word, to_text};
use super::train_args::TrainArgs;
use crate::io::TensorBoard;
use crate::io::checkpoint::{RunSettings, last_checkpoint, read_settings};
use crate::io::run::RunFolder;

impl TrainArgs {
    /// The callback for TensorBoard, of a run resumed after these steps and epochs. With --force a run that begins
    /// writes its metrics in place of the earlier ones.
    pub(super) fn tensorboard(&self, folder: &RunFolder, from: Option<[usize; 2]>) -> Option<TensorBoard> {
        let run = whole_path(folder.dir());
        let dir = self.tensorboard.as_ref()?;
        let board = TensorBoard::new(run.file_name().map_or(dir.clone(), |name| dir.join(name)));
        Some(board.going_on(from.or(self.force.then_some([0, 0]))))
    }

    /// Refuses a folder in which TensorBoard would draw the curves of two runs as one, and returns its path. The
    /// metrics of the run that is resumed, whose settings are `settings`, or of one that --force replaces, are cut or
    /// replaced with it.
    pub(super) fn check_tensorboard(
        &self,
        folder: &RunFolder,
        settings: &RunSettings,
    ) -> anyhow::Result<Option<String>> {
        let replaced = || last_checkpoint(folder.dir()).and_then(|path| read_settings(&path).ok()?);
        let before = if self.resume { Some(settings.clone()) } else { replaced() };
        let Some(board) = self.tensorboard(folder, None) else {
            // A folder that belonged to this one still does.
            let board = before.and_then(|settings| settings.tensorboard);
            if let Some(board) = board.as_ref().filter(|_| self.resume) {
                let dir = from_text(board).parent().map(shell_word).unwrap_or_default();
                note(format_args!(
                    "note: `{board}` holds the metrics of this run for TensorBoard so far; to continue them: --tensorboard {dir}"
                ));
            }
            return Ok(board);
        };
        let dir = board.dir().display();
        check_writable(board.dir()).with_context(|| format!("--tensorboard: `{dir}` cannot be written"))?;
        let place = to_text(&settled(board.dir()));
        // Checkpoints that do not record their data do not record this, either.
        let is_own = |settings: &RunSettings| match &settings.tensorboard {
            Some(own) => *own == place,
            None => settings.data_digests.is_none(),
        };
        if board.has_events()? && !before.as_ref().is_some_and(is_own) {
            bail!(
                "`{dir}` holds the metrics of another run, and TensorBoard would draw both as one; choose another --tensorboard \
                 DIR, or move that folder away"
            );
        }
        Ok(Some(place))
    }
}

/// The absolute path of a folder that may not exist yet.
fn settled(path: &Path) -> PathBuf {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let there = path.ancestors().find(|ancestor| ancestor.exists()).unwrap_or(&path);
    let rest = path.strip_prefix(there).unwrap_or(Path::new(""));
    let there = there.canonicalize().unwrap_or_else(|_| there.to_owned());
    // Joining an empty path would add a slash at the end.
    if rest.as_os_str().is_empty() { there } else { there.join(rest) }
}
