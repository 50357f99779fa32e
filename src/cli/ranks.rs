//! The processes that run a command together: one, or several that MPI started.
//!
//! All of them run the same command. The first alone owns the run's folder, prints, and shows progress; the others say nothing. Whatever
//! one of them finds wrong ends all of them, and the first prints the message of the lowest that has one.

use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, bail};

use super::messages::message;
use super::output::{note, silence};
#[cfg(feature = "mpi")]
use super::unfinished::kept_of_another;
use crate::error::Error;
use crate::io::checkpoint::{CHECKPOINTS, checkpoint_files, write_checkpoint_files};
#[cfg(feature = "mpi")]
use crate::train::collective::MpiRun;
use crate::train::collective::{Alone, Collective};

/// What launchers of MPI say to each process: how many there are, and which it is. Open MPI; MPICH, Intel MPI and Slurm; MVAPICH.
const LAUNCHERS: [[&str; 2]; 3] = [
    ["OMPI_COMM_WORLD_SIZE", "OMPI_COMM_WORLD_RANK"],
    ["PMI_SIZE", "PMI_RANK"],
    ["MV2_COMM_WORLD_SIZE", "MV2_COMM_WORLD_RANK"],
];
/// Of processes that Slurm starts with PMIx.
const SLURM: [&str; 2] = ["SLURM_STEP_NUM_TASKS", "PMIX_RANK"];

/// What the library of Open MPI calls itself.
#[cfg(feature = "mpi")]
const OPEN_MPI: &str = "Open MPI";
/// What the launcher of MPICH and its descendants sets.
#[cfg(feature = "mpi")]
const HYDRA: &str = "HYDI_CONTROL_FD";

/// What the first process needs to print its error.
const TO_SPEAK: Duration = Duration::from_millis(500);

/// How a launcher of MPI started this process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Launched {
    /// The variable that tells how many there are.
    pub variable: &'static str,
    pub size: usize,
    pub rank: usize,
}

/// How this process was started, if it is one of several.
pub fn launched() -> Option<Launched> {
    let number = |variable: &str| std::env::var(variable).ok()?.parse().ok();
    let of = |[size, rank]: [&'static str; 2]| {
        let launched = Launched { variable: size, size: number(size)?, rank: number(rank)? };
        Some(launched).filter(|launched| launched.size > 1)
    };
    LAUNCHERS.into_iter().chain([SLURM]).find_map(of)
}

/// Before a process ends with an error that all have and the first tells: a launcher kills the others once one has ended so.
pub fn let_the_first_speak() {
    if launched().is_some_and(|launched| launched.rank > 0) {
        std::thread::sleep(TO_SPEAK);
    }
}

/// The words before the program in a command that starts it as this process was started.
pub fn launcher_words() -> Option<String> {
    launched().map(|launched| match launched.variable.starts_with("SLURM") {
        true => format!("srun -n {}", launched.size),
        false => format!("mpirun -n {}", launched.size),
    })
}

/// This process among those of its run.
pub struct Ranks {
    #[cfg(feature = "mpi")]
    run: Option<MpiRun>,
    collective: Box<dyn Collective>,
    /// The number of this process among those of its machine, and how many these are.
    local: [usize; 2],
}

impl Ranks {
    /// Joins the other processes, if there are any. `together` is whether several can run the command; `patience` is how long they wait
    /// for each other.
    ///
    /// # Errors
    /// When there are several that cannot be joined: each would do everything by itself, and write the same files.
    pub fn begin(together: bool, patience: Duration) -> anyhow::Result<Self> {
        let Some(launched) = launched() else { return Ok(Ranks::alone()) };
        if launched.rank > 0 {
            silence();
        }
        if !together {
            bail!(
                "this command runs in one process, but was started as one of {} ({} is set); start it without mpirun",
                launched.size,
                launched.variable
            );
        }
        Ranks::join(&launched, patience)
    }

    #[cfg(not(feature = "mpi"))]
    fn join(launched: &Launched, _: Duration) -> anyhow::Result<Self> {
        bail!(
            "this is one of {} processes that MPI has started ({} is set), but the program was built without MPI: each would train by \
             itself. Build it with: cargo build --release --features mpi",
            launched.size,
            launched.variable
        );
    }

    #[cfg(feature = "mpi")]
    fn join(launched: &Launched, patience: Duration) -> anyhow::Result<Self> {
        // Where it is plain that they do not belong together, they need not try.
        let is_open = MpiRun::library().starts_with(OPEN_MPI);
        let by_open = launched.variable.starts_with("OMPI");
        let by_hydra = std::env::var_os(HYDRA).is_some();
        let mut found = 1;
        let mut joined = None;
        if !(by_open && !is_open || by_hydra && is_open) {
            let run = MpiRun::begin(patience).map_err(anyhow::Error::msg)?;
            found = run.collective().size();
            if found == launched.size {
                joined = Some(run);
            } else {
                run.end(None, |_, _| ());
            }
        }
        let Some(run) = joined else {
            bail!(
                "this is one of {} processes that MPI has started ({} is set), but {} joins {found} of them: the \
                 program was built with another MPI than the one whose mpirun started it. Start it with the mpirun of \
                 the MPI that it was built with, or build it again with the mpicc that belongs to this mpirun \
                 (MPICC=/path/to/mpicc cargo build --release --features mpi)",
                launched.size,
                launched.variable,
                MpiRun::library()
            );
        };
        let collective = run.collective();
        let local = run.local();
        Ok(Ranks { run: Some(run), collective: Box::new(collective), local })
    }

    fn alone() -> Self {
        Ranks {
            #[cfg(feature = "mpi")]
            run: None,
            collective: Box::new(Alone),
            local: [0, 1],
        }
    }

    pub fn is_first(&self) -> bool {
        self.collective.rank() == 0
    }

    pub fn size(&self) -> usize {
        self.collective.size()
    }

    /// The number of this process among those of its machine, and how many these are.
    pub fn local(&self) -> [usize; 2] {
        self.local
    }

    /// What a model is distributed by.
    pub fn collective(&self) -> Box<dyn Collective> {
        #[cfg(feature = "mpi")]
        if let Some(run) = &self.run {
            return Box::new(run.collective());
        }
        Box::new(Alone)
    }

    /// How many threads this process computes with, if it shares cores with others: those it is bound to, or its part of them where
    /// others are bound to the same.
    pub fn threads(&mut self) -> anyhow::Result<Option<usize>> {
        if self.size() == 1 {
            return Ok(None);
        }
        let own = cores();
        // Machines are told apart by what they call themselves.
        let all: Vec<(String, Vec<usize>)> = self.gather(&(machine(), &own))?;
        let shares = |(machine, cores): &(String, Vec<usize>)| {
            *machine == all[self.collective.rank()].0 && cores.iter().any(|core| own.contains(core))
        };
        let sharing = all.iter().filter(|other| shares(other)).count();
        let available = std::thread::available_parallelism().map_or(1, usize::from);
        Ok(Some((own.len() / sharing.max(1)).clamp(1, available)))
    }

    /// What each process has to say.
    ///
    /// # Errors
    /// When another has failed.
    pub fn gather<T: serde::Serialize + serde::de::DeserializeOwned, S: serde::Serialize>(
        &mut self,
        own: &S,
    ) -> anyhow::Result<Vec<T>> {
        let said = self.collective.gather(&serde_json::to_vec(own)?).map_err(Error::from)?;
        said.iter().map(|said| serde_json::from_slice(said).context("another process sent what this program cannot read; start the same program in all processes")).collect()
    }

    /// Refuses processes that would not compute the same: for each fact, its name and what it is here.
    ///
    /// # Errors
    /// Names the first difference.
    pub fn check_same(&mut self, facts: &[(String, String)]) -> anyhow::Result<()> {
        if self.size() == 1 {
            return Ok(());
        }
        let all: Vec<(String, Vec<(String, String)>)> = self.gather(&(machine(), facts))?;
        let (_, first) = &all[0];
        for (rank, (machine, facts)) in all.iter().enumerate() {
            let differs = first.iter().zip(facts).find(|(expected, found)| expected != found);
            if let Some(((name, expected), (other, found))) = differs {
                let found = if name == other { found.as_str() } else { "something else" };
                bail!(
                    "the processes differ in the {name}: process 0 has {expected}, but process {rank} on `{machine}` has {found}; all \
                     must have the same{}",
                    remedy(name)
                );
            }
            if facts.len() != first.len() {
                bail!("process {rank} on `{machine}` runs another program than process 0");
            }
        }
        Ok(())
    }

    /// Gives all processes the checkpoint at this path, which only the first has. The others get a folder of a run that holds it.
    ///
    /// # Errors
    /// When it cannot be read or written.
    pub fn hand_checkpoint(&mut self, own: Option<&Path>) -> anyhow::Result<Option<tempfile::TempDir>> {
        let files = own.map(checkpoint_files).transpose()?.unwrap_or_default();
        let name = own.and_then(Path::file_name).unwrap_or_default().to_string_lossy().into_owned();
        let name = self.of_first(name.as_bytes())?;
        let count = self.of_first(&[files.len() as u8])?;
        let mut heard = Vec::new();
        for at in 0..usize::from(count.first().copied().unwrap_or(0)) {
            let (name, bytes) =
                files.get(at).map_or((&[][..], &[][..]), |(name, bytes)| (name.as_bytes(), bytes));
            let name = String::from_utf8_lossy(&self.of_first(name)?).into_owned();
            heard.push((name, self.of_first(bytes)?));
        }
        if self.is_first() {
            return Ok(None);
        }
        let dir = tempfile::tempdir()
            .context("there is no temporary folder for the checkpoint that process 0 sends")?;
        let checkpoint = dir.path().join(CHECKPOINTS).join(String::from_utf8_lossy(&name).as_ref());
        write_checkpoint_files(&checkpoint, &heard)?;
        Ok(Some(dir))
    }

    fn of_first(&mut self, own: &[u8]) -> Result<Vec<u8>, Error> {
        let own = if self.is_first() { own } else { &[] };
        Ok(self.collective.gather(own)?.into_iter().next().unwrap_or_default())
    }

    /// Ends the command in all processes, and tells what went wrong in the lowest in which anything did.
    pub fn end(self, ran: anyhow::Result<ExitCode>) -> ExitCode {
        #[cfg(feature = "mpi")]
        if let Some(run) = self.run {
            let is_first = self.collective.rank() == 0;
            let of_another = ran.as_ref().err().and_then(kept_of_another);
            let own = ran.as_ref().err().filter(|_| of_another.is_none()).map(message);
            // An empty message would look like none.
            let own = own.map(|text| if text.is_empty() { "it does not say why".to_owned() } else { text });
            let failed = run.end(own.as_deref(), |rank, text| {
                let of = if rank == 0 { String::new() } else { format!("process {rank}: ") };
                let kept = of_another.filter(|kept| !kept.is_empty());
                let kept = kept.map_or_else(String::new, |kept| format!("; {kept}"));
                if is_first {
                    note(format_args!("error: {of}{text}{kept}"));
                }
            });
            return if failed { ExitCode::FAILURE } else { ran.unwrap_or(ExitCode::FAILURE) };
        }
        ran.unwrap_or_else(|error| {
            note(format_args!("error: {}", message(&error)));
            ExitCode::FAILURE
        })
    }
}

fn remedy(name: &str) -> &'static str {
    match name {
        "device" | "kind of device" | "kernels" | "instruction set" => {
            ", unless --mixed-devices is given: only the first process then updates the weights, and sends them to \
             the others"
        }
        "data" => "; give each machine the same files",
        "program" => "; copy one build to all machines",
        _ => "",
    }
}

/// What this machine calls itself.
fn machine() -> String {
    #[cfg(target_os = "linux")]
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").ok();
    #[cfg(not(target_os = "linux"))]
    let name = std::env::var("COMPUTERNAME").or_else(|_| std::env::var("HOSTNAME")).ok();
    name.map_or_else(|| "localhost".to_owned(), |name| name.trim().to_owned())
}

/// The cores that this process may use.
#[cfg(target_os = "linux")]
fn cores() -> Vec<usize> {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let list = status.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:")).unwrap_or_default();
    listed_cores(list.trim())
}

#[cfg(not(target_os = "linux"))]
fn cores() -> Vec<usize> {
    (0..std::thread::available_parallelism().map_or(1, usize::from)).collect()
}

/// The numbers of a list such as `0-3,8`.
#[cfg_attr(not(target_os = "linux"), allow(dead_code))]
fn listed_cores(list: &str) -> Vec<usize> {
    let range = |part: &str| {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        Some(first.parse().ok()?..=last.parse().ok()?)
    };
    list.split(',').filter_map(range).flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cores_are_listed_as_the_kernel_does() {
        let rows: [(&str, &[usize]); 5] =
            [("0-1", &[0, 1]), ("3", &[3]), ("0,2-4,9", &[0, 2, 3, 4, 9]), ("", &[]), ("x-", &[])];
        for (list, expected) in rows {
            assert_eq!(listed_cores(list), expected, "{list}");
        }
    }
}
