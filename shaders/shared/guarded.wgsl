// What a gradient that is not finite does, by bits, since a shader may take it that there are no NaNs: nothing, where the
// step is guarded, and what it does to any number, where it is not.
const EXPONENT = 0x7f800000u;

// The exponent of gradients that nothing may follow; none has that of an unguarded step.
fn forbidden() -> Index {
    return Index(select(~0u, EXPONENT, batch.guarded != 0u));
}

// What becomes of `before` with gradient g.
fn followed(g: Real, before: Real, after: Real) -> Real {
    return select(after, before, (bitcast<Index>(g) & Index(EXPONENT)) == forbidden());
}
