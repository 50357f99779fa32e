//! How the kernels over `shaders/shared/workgroup_product.wgsl` share out a product among workgroups and teams.

use super::tiles::tiles;

/// Invocations along each side of a team.
const SIDE: usize = 8;
/// Invocations of a team.
const TEAM: usize = SIDE * SIDE;
/// Floats to a Real.
const WIDTH: usize = 4;
/// Terms of a team that make up for adding up its sums to those of the others.
const LONG: usize = 256;
/// Most terms of a team that computes one Real of rows by one of columns to an invocation: with the loops over what it keeps of each, no
/// more iterations than may be.
const MOST_TERMS: usize = 20_000;
/// Fewest teams that keep a GPU busy, where they can be had; fewer do of those that compute more.
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

/// The form of a workgroup.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Teams {
    /// How many teams share the terms.
    pub(super) count: usize,
    /// How many Reals of rows, and of columns, an invocation computes.
    pub(super) reals: usize,
}

impl Teams {
    /// Several that compute a Real of rows by one of columns to an invocation.
    pub(super) const fn of(count: usize) -> Self {
        Teams { count, reals: 1 }
    }

    /// One that computes two by two.
    pub(super) const WIDE: Self = Teams { count: 1, reals: 2 };

    /// Rows of a tile, and columns.
    fn tile(self) -> usize {
        WIDTH * self.reals * SIDE
    }

    /// Terms that a team takes at a time: of both factors, each invocation brings one square.
    fn terms(self) -> usize {
        TEAM / 2 / (SIDE * self.reals) * WIDTH
    }

    /// Invocations of a workgroup.
    pub(super) fn workgroup(self) -> usize {
        TEAM * self.count
    }

    /// The constants of the shaders.
    pub(super) fn constants(self) -> [(&'static str, usize); 3] {
        [("SIDE", SIDE), ("TEAMS", self.count), ("REALS", self.reals)]
    }
}

impl Product {
    fn groups(&self, teams: Teams) -> usize {
        tiles(self.area, [teams.tile(); 2]) * self.areas
    }

    /// Whether workgroups of this form are of use: wide ones where they keep a GPU busy and are nearly filled, several teams where sums are
    /// long, so that adding up teams does not count, or where there are few workgroups and terms for all teams.
    pub(super) fn employs(&self, teams: Teams) -> bool {
        let groups = self.groups(teams);
        let outputs = teams.reals * teams.reals;
        let can = self.terms <= MOST_TERMS / outputs;
        match teams {
            Teams { count: 1, reals: 1 } => can,
            Teams { count: 1, .. } => {
                let area = self.area[0] * self.area[1] * self.areas;
                can && groups >= BUSY / outputs && groups * teams.tile() * teams.tile() <= area + area / 4
            }
            Teams { count, .. } => {
                let is_scarce = groups * count <= BUSY && self.terms > (count - 1) * teams.terms();
                is_scarce || self.terms >= count * LONG
            }
        }
    }

    /// Invocations of all workgroups of this form.
    pub(super) fn invocations(&self, teams: Teams) -> usize {
        self.groups(teams) * teams.workgroup()
    }
}
