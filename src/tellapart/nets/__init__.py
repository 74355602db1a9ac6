"""Networks trained from pixels with Keras: the optional extra ``keras``."""
