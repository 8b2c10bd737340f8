"""The playground: points in the plane, and a boundary that moves while a network forgets some of them."""
