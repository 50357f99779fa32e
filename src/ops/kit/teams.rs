//! How the kernels over `shaders/shared/workgroup_product.wgsl` share out a product among workgroups and teams.

use super::tiles::tiles;

/// Invocations along each side of a team.
const SIDE: usize = 8;
/// Rows of a tile, and columns: each invocation computes 4 by 4.
const TILE: usize = 4 * SIDE;
/// Terms that a team takes at a time.
const TILE_TERMS: usize = SIDE / 2 * 4;
/// Invocations of a team.
const TEAM: usize = SIDE * SIDE;
/// Terms of a team that make up for adding up its sums to those of the others.
const LONG: usize = 256;
/// Most terms of a team: with the loops over what it keeps of each, no more iterations than may be.
const MOST_TERMS: usize = 20_000;
/// Fewest teams that keep a GPU busy, where they can be had.
const BUSY: usize = 4096;

/// A product that workgroups share out: so many sums of so many terms.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Product {
    /// Rows and columns.
    pub(crate) area: [usize; 2],
    /// How many such areas there are: parts of sums, or groups of channels.
    pub(crate) areas: usize,
    /// Terms of a sum.
    pub(crate) terms: usize,
}

impl Product {
    fn groups(&self) -> usize {
        tiles(self.area, [TILE; 2]) * self.areas
    }

    /// Whether workgroups of so many teams are of use: where sums are long, so that adding up teams does not count, or where there are few
    /// workgroups and terms for all teams.
    pub(super) fn employs(&self, teams: usize) -> bool {
        let is_scarce = self.groups() * teams <= BUSY && self.terms > (teams - 1) * TILE_TERMS;
        match teams {
            1 => self.terms <= MOST_TERMS,
            _ => is_scarce || self.terms >= teams * LONG,
        }
    }

    /// Invocations of workgroups of so many teams.
    pub(super) fn invocations(&self, teams: usize) -> usize {
        self.groups() * Self::workgroup(teams)
    }

    pub(super) fn workgroup(teams: usize) -> usize {
        TEAM * teams
    }

    /// The constants of the shaders.
    pub(super) fn constants(teams: usize) -> [(&'static str, usize); 2] {
        [("SIDE", SIDE), ("TEAMS", teams)]
    }
}
