"""Match the tensors of a checkpoint with an architecture of ours, whatever its code called them.

`find` is the way in: it tries the known spellings (`spelling`), then order and shape (`layer_order`), and says why
nothing fits (`misfit`). No file is opened here.
"""
