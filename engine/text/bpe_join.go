package text

import "container/heap"

// symbol is a token of a word that is being joined, in a list of them.
type symbol struct {
	token      int32 // -1: it became part of the one before it
	prev, next int   // -1: there is none
}

// pair is one that can be joined: the symbol at a place, and the one behind it.
type pair struct {
	merge
	at          int
	left, right int32
}

// queue gives the pair of the lowest rank, of equal ones the first in the word.
type queue []pair

func (q queue) Len() int { return len(q) }
func (q queue) Less(i, j int) bool {
	return q[i].rank < q[j].rank || q[i].rank == q[j].rank && q[i].at < q[j].at
}
func (q queue) Swap(i, j int) { q[i], q[j] = q[j], q[i] }
func (q *queue) Push(x any)   { *q = append(*q, x.(pair)) }
func (q *queue) Pop() any {
	last := len(*q) - 1
	p := (*q)[last]
	*q = (*q)[:last]
	return p
}

// join appends the tokens of a word.
func (m *byteBPE) join(w string, out []word) []word {
	list := make([]symbol, len(w))
	for i := range list {
		list[i] = symbol{int32(m.first[0][w[i]]), i - 1, i + 1}
	}
	last := len(list) - 1
	list[last] = symbol{int32(m.first[1][w[last]]), last - 1, -1}
	var q queue
	offer := func(at int) {
		if at < 0 || list[at].next < 0 {
			return
		}
		left, right := list[at].token, list[list[at].next].token
		if found, ok := m.merges[pairKey(left, right)]; ok {
			heap.Push(&q, pair{found, at, left, right})
		}
	}
	for i := range list {
		offer(i)
	}
	for q.Len() > 0 {
		p := heap.Pop(&q).(pair)
		next := list[p.at].next
		if next < 0 || list[p.at].token != p.left || list[next].token != p.right {
			continue // one of them was joined with another
		}
		list[p.at].token, list[p.at].next = p.token, list[next].next
		list[next].token = -1
		if behind := list[next].next; behind >= 0 {
			list[behind].prev = p.at
		}
		offer(list[p.at].prev)
		offer(p.at)
	}
	for i := 0; i >= 0; i = list[i].next {
		out = append(out, word{text: m.text(int(list[i].token)), id: int(list[i].token)})
	}
	return out
}
