//! Planted causes come out, exactly.
