"""The playground's runs: small models of points in the plane, recorded frame by frame."""
