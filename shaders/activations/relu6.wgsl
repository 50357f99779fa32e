// y = min(max(x, 0), 6). Written with comparisons so that a NaN stays one.
fn activation(x: Real) -> Real {
    return select(select(x, Real(6.0), x >= Real(6.0)), Real(), x <= Real());
}

// dx = dy where 0 < y < 6, else 0: the derivative at both bends is 0.
fn activation_gradient(y: Real, dy: Real) -> Real {
    return select(select(dy, Real(), y >= Real(6.0)), Real(), y <= Real());
}
