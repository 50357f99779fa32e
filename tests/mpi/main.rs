//! Several processes over MPI: the bits of one process, and ends that are clear. `scripts/test-mpi` builds the program for each MPI and
//! runs these with its `mpirun` in SHADEGRAD_MPIRUN.

#![cfg(target_os = "linux")]

mod ends;
mod launch;
mod refusals;
mod same_bits;
#[path = "../cli/sandbox.rs"]
#[expect(dead_code, reason = "other tests use the rest")]
mod sandbox;
