// The sum of the components of a Real of one component.
fn horizontal(v: Real) -> f32 {
    return v;
}
