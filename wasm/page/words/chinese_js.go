package words

var chinese []byte // fetched
