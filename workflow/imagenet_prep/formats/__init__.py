"""File formats, as their bytes define them: a module each, none of which knows anything of ImageNet."""
