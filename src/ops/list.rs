//! What is made of the list of all ops.

/// The enum of all ops, and what each says of itself.
macro_rules! ops {
    ($($op:ident),* $(,)?) => {
        /// What one step computes.
        #[derive(Debug, Clone, std::marker::Copy, PartialEq)]
        pub enum Op {
            $(#[doc = concat!("See [`struct@", stringify!($op), "`].")] $op($op),)*
        }

        $(impl From<$op> for Op {
            fn from(op: $op) -> Op {
                Op::$op(op)
            }
        })*

        impl Op {
            /// The name of the kind, shared with the WGSL file.
            pub fn kind(&self) -> &'static str {
                match self { $(Op::$op(op) => op.kind(),)* }
            }

            /// The arguments, in the order of the shader's bindings.
            pub fn args(&self) -> Vec<ArgSpec> {
                match self { $(Op::$op(op) => op.args(),)* }
            }

            /// How the long sums are cut; `None` where there are none.
            pub fn split(&self) -> Option<Split> {
                match self { $(Op::$op(op) => op.split(),)* }
            }

            /// Floating-point operations of one execution; a multiply-add counts as two, a comparison as one.
            pub fn flops(&self) -> u64 {
                match self { $(Op::$op(op) => op.flops() as u64,)* }
            }

            /// Most iterations, over all its loops, of one invocation of the plainest kernel.
            pub fn longest_loop(&self) -> usize {
                match self { $(Op::$op(op) => op.longest_loop(),)* }
            }

            /// How many of the weights of an arena a step touches, and how many there are, where it is not all of them.
            pub(crate) fn touched(&self) -> Option<[usize; 2]> {
                match self { $(Op::$op(op) => op.touched(),)* }
            }

            /// Where the function bends at these arguments, in f64.
            pub fn kinks(&self, args: &[&[f64]]) -> Kinks {
                match self { $(Op::$op(op) => op.kinks(args),)* }
            }

            /// Computes it with its twin.
            ///
            /// # Errors
            /// When the arguments are not those of [`Op::args`].
            pub fn twin<T: Real>(
                &self,
                batch: &BatchParams,
                args: &mut [Arg<'_, T>],
            ) -> Result<(), OtherArguments> {
                if !take(&self.args(), args) {
                    return Err(OtherArguments);
                }
                match self { $(Op::$op(op) => op.twin(batch, args),)* }
            }

            /// The name of its fast row, and the room that this needs; `None` where the CPU executor has nothing but the twin.
            pub fn fast(&self) -> Option<(&'static str, Room)> {
                match self { $(Op::$op(op) => fast(op).map(|row| (row.variant, (row.room)(op))),)* }
            }

            /// Computes it with its fast row, or where it has none, with its twin.
            ///
            /// # Errors
            /// When the arguments are not those of [`Op::args`].
            pub(crate) fn run_fast(
                &self,
                batch: &BatchParams,
                args: &mut [Arg<'_, f32>],
                scratch: &mut Scratch,
            ) -> Result<(), OtherArguments> {
                if !take(&self.args(), args) {
                    return Err(OtherArguments);
                }
                match self {
                    $(Op::$op(op) => match fast(op) {
                        Some(row) => (row.run)(op, batch, args, scratch),
                        None => op.twin(batch, args),
                    },)*
                }
            }

            /// The kernels for it, on any adapter.
            pub fn kernels(&self) -> Vec<Kernel> {
                match self { $(Op::$op(op) => Row::kernels(op),)* }
            }

            /// A full batch of uniform numbers.
            pub(crate) fn case(self) -> Case<Op> {
                match self { $(Op::$op(op) => Case::of(op).map(Op::from),)* }
            }
        }

        impl Case<Op> {
            /// What sets the case apart from the others of its kind.
            pub fn name(&self) -> String {
                let (title, samples) = match self.op { $(Op::$op(op) => (op.title(), op.samples()),)* };
                self.map(|_| ()).name(title, samples.unwrap_or_default())
            }

            /// The arguments of the case with this number among those of its kind.
            pub(crate) fn arguments(&self, number: u32) -> Vec<Argument> {
                arguments(self, self.op.kind(), self.op.args(), number, |draw| match self.op {
                    $(Op::$op(op) => $op::input(&mut draw.of(&self.map(|_| op))),)*
                })
            }

            /// What each argument must be after the case ran.
            ///
            /// # Errors
            /// When the twin does not take these arguments.
            pub(crate) fn expect(&self, arguments: &[Argument]) -> Result<Vec<Expected>, OtherArguments> {
                let twin = |args: &mut [Arg<'_, f64>]| self.op.twin(&self.batch, args);
                let outputs = run_twin(arguments, |x| x, &twin)?;
                let bounds = match self.op {
                    $(Op::$op(op) => {
                        $op::bounds(&Trial { case: &self.map(|_| op), arguments, outputs: &outputs })
                    })*
                }?;
                Ok(outputs.into_iter().zip(bounds).map(|(output, bound)| Expected { output, bound }).collect())
            }
        }

        /// The cases of `verify`: every op on the shapes where its kernels go wrong.
        pub fn cases() -> Vec<Case<Op>> {
            let mut table = Vec::new();
            $(for case in &$op::cases() {
                table.push(case.map(Op::$op));
            })*
            table
        }

        #[cfg(test)]
        mod tests {
            use std::collections::HashSet;

            use super::*;

            /// The variants of an op's rows, and, of each kind that its cases have, those that they run.
            fn check<O: OpKind>(name: &str) {
                let of_rows: Vec<_> = O::ROWS.iter().flat_map(Row::variants).collect();
                let rows: HashSet<_> = of_rows.iter().copied().collect();
                assert_eq!(rows.len(), of_rows.len(), "{name}: two rows have one variant");
                let cases = O::cases();
                assert!(!cases.is_empty(), "{name} has no case");
                let kinds: HashSet<_> = cases.iter().map(|case| case.op.kind()).collect();
                for kind in kinds {
                    let of_kind = cases.iter().filter(|case| case.op.kind() == kind);
                    let run: HashSet<_> = of_kind
                        .flat_map(|case| Row::kernels(&case.op))
                        .map(|kernel| kernel.variant)
                        .collect();
                    assert_eq!(run, rows, "{kind}: what its cases run, and what its rows are");
                }
            }

            #[test]
            fn twins_refuse_arguments_of_other_numbers_lengths_and_uses() {
                let (op, batch) = (Op::from(BiasAdd { rows: 2, columns: 3 }), BatchParams::default());
                let (bias, mut y) = ([1.0_f32; 4], [0.0_f32; 6]);
                for len in [2, 3, 4] {
                    let ran = op.twin(&batch, &mut [Arg::In(&bias[..len]), Arg::Out(&mut y)]);
                    assert_eq!(ran.is_ok(), len == 3, "a bias of {len}");
                }
                assert_eq!(op.twin(&batch, &mut [Arg::In(&bias[..3]), Arg::Out(&mut y[..5])]), Err(OtherArguments));
                assert_eq!(op.twin(&batch, &mut [Arg::In(&bias[..3])]), Err(OtherArguments));
                assert_eq!(op.twin(&batch, &mut [Arg::In(&bias[..3]), Arg::In(&y)]), Err(OtherArguments));
                assert_eq!(y, [1.0; 6], "nothing else was written");
            }

            #[test]
            fn every_row_is_run_by_some_case() {
                $(check::<$op>(stringify!($op));)*
            }
        }
    };
}
