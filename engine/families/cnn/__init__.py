"""The convolutional network: LeNet-5, AlexNet-style, VGG-style."""
