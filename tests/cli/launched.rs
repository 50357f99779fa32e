//! A program without MPI that MPI has started: each process would train by itself.

#![cfg(not(feature = "mpi"))]

use crate::sandbox::Sandbox;

#[test]
fn several_processes_are_refused_without_mpi() {
    let args = "train --model model.toml --data data --device cpu --out run";
    for [size, rank] in [
        ["OMPI_COMM_WORLD_SIZE", "OMPI_COMM_WORLD_RANK"],
        ["PMI_SIZE", "PMI_RANK"],
        ["SLURM_STEP_NUM_TASKS", "PMIX_RANK"],
    ] {
        let sandbox = Sandbox::new().with(size, "2").with(rank, "0");
        sandbox.fail(args, 1, &["one of 2 processes", size, "--features mpi"]);
        assert!(!sandbox.path("run").exists());
        // The first alone speaks.
        let other = Sandbox::new().with(size, "2").with(rank, "1").run(args);
        assert_eq!((other.code, other.stdout.as_str(), other.stderr.as_str()), (1, "", ""), "{size}");
        let crossval = Sandbox::new().with(size, "2").with(rank, "0");
        crossval.fail("crossval --data data", 1, &["this command runs in one process"]);
        // One process is alone, whoever started it.
        let alone = Sandbox::new().with(size, "1").with(rank, "0");
        alone.succeed(&format!("{args} --epochs 1"));
    }
}
