"""Looking at what generative models make: a judge's eye, distances between sets of samples, reference lines."""
